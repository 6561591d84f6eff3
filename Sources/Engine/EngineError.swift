import Execution
package import Diagnostics

/// Errors of builds.
package enum EngineCode: String, FailureCode {
    /// A context that cannot be what it is said to be.
    case badContext = "build.context"
    case badOwner = "copy.owner"
    case corrupt = "store.corrupt"
    case runFailed = "run.exit"
    /// A `--secret` that cannot be understood or read.
    case badSecret = "secret.invalid"
    case secretNotFound = "secret.not-found"
    /// An `--ssh` that leads to no agent.
    case badAgent = "ssh.invalid"
    case agentNotFound = "ssh.not-found"
    /// An option that cannot be understood.
    case badOption = "option.invalid"
    /// Privileges that need an `--allow`.
    case notAllowed = "run.not-allowed"
    case deviceNotFound = "run.device-not-found"
    case outOfMemory = "run.out-of-memory"
    case mountFailed = "run.mount"
    case isolation = "run.isolation"
    /// A `--network`, `--add-host` or `--dns` that cannot be understood or served.
    case badNetwork = "network.invalid"
    /// A `--volume` or `--mount` that cannot be understood.
    case badVolume = "volume.invalid"
    /// A `--timeout` that cannot be understood.
    case badTimeLimit = "timeout.invalid"
    /// A command ran longer than it may.
    case timedOut = "run.timeout"
    /// A command needs a user namespace that the process would have had to enter before anything else.
    case outsideUserNamespace = "run.outside-user-namespace"
    /// An `--isolation` that names none.
    case badIsolation = "isolation.invalid"
    case imageNotFound = "image.not-found"
    case badArchive = "archive.malformed"
    case badOutput = "output.invalid"
    case storeInUse = "store.in-use"
    case badFilter = "filter.invalid"
    /// The user was asked and said no.
    case cancelled = "cancelled"
    case badArgumentFile = "arguments.invalid"
    /// A cache that cannot be read, or a `--cache-from` or `--cache-to` that cannot be understood.
    case badCache = "cache.invalid"
    case unsupported = "unsupported"
}
package typealias EngineError = Failure<EngineCode>
