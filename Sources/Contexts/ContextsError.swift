package import Diagnostics

/// Failures of contexts and of what else a build reads: Dockerfiles, files of the web, repositories,
/// secrets and agents.
package enum ContextsCode: String, FailureCode {
    case contextNotFound = "build.context-not-found"
    /// A context that cannot be what it is said to be.
    case badContext = "build.context"
    case dockerfileNotFound = "build.dockerfile-not-found"
    case corrupt = "store.corrupt"
    case download = "remote.download"
    case checksum = "remote.checksum"
    case git = "remote.git"
    /// The file with the digests of base images is malformed, or cannot be written.
    case badLock = "build.lock"
    /// A build that must have a time, and a context without one.
    case noTime = "build.no-time"
    /// A secret that cannot be used as what it is asked for.
    case badSecret = "secret.invalid"
    case secretNotFound = "secret.not-found"
    /// An agent that cannot be started.
    case badAgent = "ssh.invalid"
    case agentNotFound = "ssh.not-found"
}
package typealias ContextsError = Failure<ContextsCode>
