package import Diagnostics

/// Failures of builds, and of commands in images.
package enum EngineCode: String, FailureCode {
    case badOwner = "copy.owner"
    case corrupt = "store.corrupt"
    case runFailed = "run.exit"
    case outOfMemory = "run.out-of-memory"
    /// A command ran longer than it may.
    case timedOut = "run.timeout"
    case mountFailed = "run.mount"
    /// A secret that cannot be what its mount says.
    case badSecret = "secret.invalid"
    case imageNotFound = "image.not-found"
    case unsupported = "unsupported"
    /// A directory holds something else.
    case notEmpty = "output.not-empty"
    /// The files of a build are not those that it was made from.
    case changed = "rebuild.changed"
}
package typealias EngineError = Failure<EngineCode>
