package import Diagnostics

/// Failures of configuration files.
package enum ConfigurationCode: String, FailureCode {
    /// A file that cannot be read or understood.
    case badFile = "configuration.invalid"
    /// A setting that does not exist.
    case unknownKey = "configuration.unknown-key"
    /// A value that the setting cannot have.
    case badValue = "configuration.value"
}
package typealias ConfigurationError = Failure<ConfigurationCode>
