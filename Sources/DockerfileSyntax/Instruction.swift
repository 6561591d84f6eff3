/// One instruction of a Dockerfile. Words are as written: quotes, escapes and variables are still in them.
public struct Instruction: Sendable {
    /// The type of the instruction and its contents.
    public let kind: Kind

    /// The keyword as written, for checks of its casing.
    public let keyword: String

    /// The place of the instruction, with its here-documents and without its comments.
    public let range: SourceRange

    /// The logical line: continuation lines joined, without comments, blank lines and here-document bodies.
    public let originalText: String

    /// The comments directly above, without their `#`.
    public let comments: [String]

    /// The flags in order, each with its leading `--`, quotes removed.
    public let flags: [String]

    /// The words behind the flags, split by the grammar of the instruction but not expanded.
    ///
    /// A command in the shell form is one word, a pair of ENV or LABEL is one word unless it is in the old form
    /// `ENV name value`, and the instruction inside an ONBUILD is one word without its here-documents.
    public let words: [String]

    /// Whether the words were written as a JSON array.
    public let isJSON: Bool

    /// The here-documents in the order of their markers, also those inside an ONBUILD.
    public let heredocs: [Heredoc]

    /// The types of instructions. Closed on purpose: a `switch` over it shows every place that has to handle a new one.
    public enum Kind: Hashable, Sendable {
        /// Begins a stage.
        case from(From)

        /// Build arguments; never empty.
        case arg([ArgumentDeclaration])

        /// Environment variables.
        case env(Assignments)

        /// Labels of the image.
        case label(Assignments)

        /// A command to run.
        case run(Run)

        /// Files from the context, a stage or an image.
        case copy(Copy)

        /// Files from the context, archives to be unpacked, URLs and Git repositories.
        case add(Add)

        /// The working directory, unexpanded.
        case workdir(String)

        /// The user and perhaps the group, unexpanded.
        case user(String)

        /// Port words, each to be expanded into any number of ports.
        case expose([String])

        /// Mount points, trimmed and unexpanded; never empty.
        case volume([String])

        /// The signal that stops a container, unexpanded.
        case stopsignal(String)

        /// The default command, or its arguments.
        case cmd(ShellOrExec)

        /// The program to start.
        case entrypoint(ShellOrExec)

        /// The arguments of the shell; never empty.
        case shell([String])

        /// How to see whether a container is healthy.
        case healthcheck(Healthcheck)

        /// An instruction for builds that start from this image.
        case onbuild(Onbuild)

        /// The author; deprecated.
        case maintainer(String)
    }
}

extension Instruction.Kind {
    /// The instruction's keyword in upper case.
    public var name: String {
        switch self {
        case .from: "FROM"
        case .arg: "ARG"
        case .env: "ENV"
        case .label: "LABEL"
        case .run: "RUN"
        case .copy: "COPY"
        case .add: "ADD"
        case .workdir: "WORKDIR"
        case .user: "USER"
        case .expose: "EXPOSE"
        case .volume: "VOLUME"
        case .stopsignal: "STOPSIGNAL"
        case .cmd: "CMD"
        case .entrypoint: "ENTRYPOINT"
        case .shell: "SHELL"
        case .healthcheck: "HEALTHCHECK"
        case .onbuild: "ONBUILD"
        case .maintainer: "MAINTAINER"
        }
    }
}
