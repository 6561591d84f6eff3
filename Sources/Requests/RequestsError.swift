package import Diagnostics

/// Failures of values that a user gives: options that cannot be understood, and files that they name.
package enum RequestsCode: String, FailureCode {
    /// A context that cannot be what it is said to be.
    case badContext = "build.context"
    /// A `--secret` that cannot be understood or read.
    case badSecret = "secret.invalid"
    /// An `--ssh` that leads to no agent.
    case badAgent = "ssh.invalid"
    /// An option that cannot be understood.
    case badOption = "option.invalid"
    /// An `--isolation` that names none.
    case badIsolation = "isolation.invalid"
    /// Privileges that need an `--allow`.
    case notAllowed = "run.not-allowed"
    case deviceNotFound = "run.device-not-found"
    /// A `--network`, `--add-host` or `--dns` that cannot be understood.
    case badNetwork = "network.invalid"
    /// A `--volume` or `--mount` that cannot be understood.
    case badVolume = "volume.invalid"
    /// A `--timeout` that cannot be understood.
    case badTimeLimit = "timeout.invalid"
    /// An image that the store does not have, and that may not be fetched.
    case imageNotFound = "image.not-found"
    case badOutput = "output.invalid"
    case badFilter = "filter.invalid"
    case badArgumentFile = "arguments.invalid"
    /// A `--cache-from` or `--cache-to` that cannot be understood.
    case badCache = "cache.invalid"
    case unsupported = "unsupported"
}
package typealias RequestsError = Failure<RequestsCode>
