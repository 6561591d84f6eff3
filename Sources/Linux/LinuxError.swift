package import Diagnostics
import Glibc
package import SystemPackage

/// Errors of system calls, by what the caller can do about them.
package enum LinuxCode: String, FailureCode {
    case notFound = "system.not-found"
    case exists = "system.exists"
    case permission = "system.permission"
    case noSpace = "system.no-space"
    case other = "system.call"
}

package typealias LinuxError = Failure<LinuxCode>

extension Failure<LinuxCode> {
    /// The failure of a system call on something, e.g. `LinuxError(.current, "open", "/etc/hosts")`.
    package init(_ errno: Errno, _ call: String, _ subject: some CustomStringConvertible) {
        let code: LinuxCode =
            switch errno {
            case .noSuchFileOrDirectory, .notDirectory: .notFound
            case .fileExists: .exists
            case .permissionDenied, .notPermitted, .readOnlyFileSystem: .permission
            case .noSpace, Errno(rawValue: EDQUOT): .noSpace
            default: .other
            }
        let hint: String? = code == .noSpace ? "Free some space or inodes there and try again." : nil
        self.init(code, "cannot \(call) '\(subject)': \(errno)", hint: hint, cause: errno)
    }

    /// The error number behind the failure.
    package var errno: Errno? { cause as? Errno }
}

extension Errno {
    /// The calling thread's `errno`.
    package static var current: Errno { Errno(rawValue: Glibc.errno) }
}

/// Calls `body` until it is not interrupted, and turns -1 into an error that names the call and its subject.
@discardableResult
package func check<Value: SignedInteger>(
    _ call: String, _ subject: @autoclosure () -> any CustomStringConvertible, _ body: () -> Value
) throws -> Value {
    while true {
        let value = body()
        if value != -1 { return value }
        let error = Errno.current
        if error != .interrupted { throw LinuxError(error, call, subject().description) }
    }
}
