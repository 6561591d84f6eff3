/// Why a text is not a valid Dockerfile, word or ignore file.
public struct DockerfileError: Error, Hashable, Sendable {
    /// The error in the words BuildKit uses, so that scripts and search engines recognise it.
    public let message: String

    /// The offending part of the source, where there is one.
    public let range: SourceRange?

    /// An error at a place, if one is known.
    public init(_ message: String, at range: SourceRange? = nil) {
        self.message = message
        self.range = range
    }
}

extension DockerfileError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}

/// Something legal that its author probably did not mean, noticed while joining lines.
public struct SyntaxWarning: Hashable, Sendable {
    /// The kinds of warnings.
    public enum Kind: Hashable, Sendable {
        /// A blank line inside a continued instruction, which does not end the instruction.
        case emptyContinuationLine
    }

    /// The kind of the warning.
    public let kind: Kind

    /// The warning and the instruction it is about, in BuildKit's words.
    public let message: String

    /// The last line of the instruction, where BuildKit points.
    public let line: Int
}
