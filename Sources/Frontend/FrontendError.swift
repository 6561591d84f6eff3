package import Diagnostics
package import DockerfileSyntax

/// Why a Dockerfile cannot be turned into a build.
package enum FrontendCode: String, FailureCode {
    /// The text is not a Dockerfile.
    case syntax = "frontend.syntax"
    /// An instruction says something impossible.
    case invalid = "frontend.invalid"
    case unknownTarget = "frontend.unknown-target"
    case unknownStage = "frontend.unknown-stage"
    case circular = "frontend.circular"
    /// The Dockerfile is right, but this program cannot do what it asks for.
    case unsupported = "frontend.unsupported"
    /// A check failed in a file that asks for checks to be errors.
    case lint = "frontend.lint"
}

package typealias FrontendError = Failure<FrontendCode>

extension Failure where Code == FrontendCode {
    /// A parse error in the file that the user knows as `file`; its message and lines are kept.
    package init(_ error: DockerfileError, file: String) {
        self.init(
            .syntax, error.message, at: error.range.map { Diagnostics.SourceRange(file: file, lines: $0.lines) },
            cause: error)
    }
}
