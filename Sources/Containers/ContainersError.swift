package import Diagnostics

/// Failures of commands in images, and of containers.
package enum ContainersCode: String, FailureCode {
    case imageNotFound = "image.not-found"
    /// A command that cannot be started as it is asked for.
    case badCommand = "run.invalid"
    case notFound = "container.not-found"
    case ambiguous = "container.ambiguous"
    case nameInUse = "container.name-in-use"
    case badName = "container.name"
    case isRunning = "container.running"
    case notRunning = "container.not-running"
    case badFilter = "container.filter"
    /// A file of a container, or a place for one.
    case badPath = "container.path"
    case corrupt = "container.corrupt"
    case volumeInUse = "volume.in-use"
    case volumeNotFound = "volume.not-found"
    case unsupported = "unsupported"
}
package typealias ContainersError = Failure<ContainersCode>
