package import Diagnostics

/// Errors of the logins for registries.
package enum LoginsCode: String, FailureCode {
    /// A login that cannot be read, kept or used.
    case credentials = "registry.credentials"
    case malformedName = "logins.malformed-name"
}

package typealias LoginsError = Failure<LoginsCode>
