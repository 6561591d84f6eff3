/// A parsed Dockerfile: the stages with their typed instructions, not yet expanded.
public struct Dockerfile: Sendable {
    /// The parser directives at the top of the file that were honoured.
    public let directives: [Directive]

    /// The character that continues lines and escapes in words.
    public let escape: EscapeCharacter

    /// The ARG instructions before the first FROM.
    public let globalArguments: [Instruction]

    /// The stages in file order; never empty.
    public let stages: [Stage]

    /// Forms that are legal but look like mistakes.
    public let warnings: [SyntaxWarning]

    /// The physical lines without their terminators, for excerpts; line N is at N - 1.
    public let sourceLines: [String]

    /// The instruction that ended the parsing of the beginning of a file; `nil` for a whole file.
    package let malformed: MalformedInstruction?
}

/// An instruction that is not one of the grammar, as its words are written.
package struct MalformedInstruction: Sendable {
    package let keyword: String
    /// The words behind the flags; none where the grammar has no words.
    package let words: [String]
    package let comments: [String]
    package let range: SourceRange

    init(_ node: Node) {
        keyword = node.keyword
        if case .words(let words, _) = node.arguments { self.words = words } else { words = [] }
        comments = node.comments
        range = node.range
    }
}

/// A `# name=value` line at the top of a Dockerfile.
public struct Directive: Hashable, Sendable {
    /// The names BuildKit knows; any other makes the line a comment.
    public enum Name: String, Hashable, Sendable {
        /// The frontend image to build with.
        case syntax

        /// The escape character of the file.
        case escape

        /// Which checks to skip, and whether a finding is an error.
        case check
    }

    /// Which directive it is.
    public let name: Name

    /// The text behind the `=`, trimmed; never empty.
    public let value: String

    /// The line it is on, counted from 1.
    public let line: Int
}

/// The character that, at the end of a line, continues it and, in a word, takes the next one literally.
public enum EscapeCharacter: UInt8, Hashable, Sendable {
    /// `\`, unless a directive says otherwise.
    case backslash = 0x5C

    /// A backtick, for paths of Windows.
    case backtick = 0x60
}

/// One build stage: a FROM and the instructions up to the next one.
public struct Stage: Sendable {
    /// The place of the stage in the file, counted from 0.
    public let index: Int

    /// The FROM instruction itself.
    public let from: Instruction

    /// The contents of the FROM, which are also the payload of ``from``.
    public let header: From

    /// The instructions behind the FROM.
    public let instructions: [Instruction]

    /// The name for look-ups, in lower case.
    public var name: String? { header.name }

    /// The name as written.
    public var originalName: String? { header.originalName }

    /// The base image or stage, unexpanded.
    public var base: String { header.base }

    /// The value of `--platform`, unexpanded; empty counts as given.
    public var platform: String? { header.platform }

    /// The comments directly above the FROM.
    public var comments: [String] { from.comments }

    /// From the FROM to the end of the last instruction.
    public var range: SourceRange {
        SourceRange(start: from.range.start, end: instructions.last?.range.end ?? from.range.end)
    }
}
