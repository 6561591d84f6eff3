package import Trees

/// Why a step was not answered by the cache, as a difference to a former build.
package enum MissCause: Hashable, Sendable {
    /// No former build is known that could be compared.
    case firstBuild
    /// The former build had no such step.
    case newStep
    /// `--no-cache`, or the stage named by `--no-cache-filter`.
    case noCache
    /// The key is that of the former build, whose record is gone: it was pruned, or something it needs was lost.
    case recordGone
    /// The key is that of the former build, in which the step did not come to its end.
    case unfinished(RecordedStep.Outcome)
    /// Files that the step reads.
    case files(FileChanges)
    /// Files that the step reads, but it is not known any more what they were.
    case unknownFiles
    /// The step failed before it was known what it reads.
    case unread
    case variable(VariableChange)
    /// The command line, or a script of it.
    case command(from: String, to: String)
    /// The shell that runs the command: SHELL.
    case shell(from: String, to: String)
    /// Another part of the instruction or its surroundings.
    case part(KeyPart, from: String, to: String)
    /// The image of a FROM: its name and its digest.
    case image(from: String, to: String, fromDigest: String, toDigest: String)
    /// Another step, by its position, gave something else than before.
    case follows(Int)
    /// A step that came before is gone; this is what it said.
    case removed(String)
    /// The steps before are those of the former build in another order.
    case reordered
    /// The key differs, and nothing that is recorded of it does.
    case unknown
}

/// A variable of the environment that differs.
package struct VariableChange: Hashable, Sendable {
    package let name: String
    /// Whether an ARG of the stage declared it; otherwise it is of ENV or of the base image.
    package let isArgument: Bool
    /// `nil` where it was not set. Values of secrets are hidden; see ``Redaction``.
    package let from: String?
    package let to: String?

    package init(name: String, isArgument: Bool, from: String?, to: String?) {
        self.name = name
        self.isArgument = isArgument
        self.from = from
        self.to = to
    }
}
