/// The payload of FROM.
public struct From: Hashable, Sendable {
    /// The image or stage to start from, unexpanded.
    public let base: String

    /// The value of `--platform`, unexpanded; `nil` if not given, and an empty one means not given too.
    public let platform: String?

    /// The stage name in lower case.
    public let name: String?

    /// The stage name as written.
    public let originalName: String?

    /// The word `AS` as written, for checks of its casing.
    public let asKeyword: String?
}

/// One `name` or `name=default` of ARG.
public struct ArgumentDeclaration: Hashable, Sendable {
    /// The name, which is never expanded.
    public let name: String

    /// The default, unexpanded; `nil` if there is no `=`.
    public let defaultValue: String?
}

/// One `key=value` of ENV or LABEL, both unexpanded.
public struct Assignment: Hashable, Sendable {
    /// The text in front of the `=`.
    public let key: String

    /// The text behind the `=`, which may be empty.
    public let value: String
}

/// The payload of ENV and LABEL.
public struct Assignments: Hashable, Sendable {
    /// The pairs in order; never empty.
    public let pairs: [Assignment]

    /// Whether the form was `ENV key value`, without `=`; then there is exactly one pair.
    public let isLegacy: Bool
}

/// A command: one line for a shell, or an argument vector.
public enum ShellOrExec: Hashable, Sendable {
    /// A line for the shell; for a here-document only its opening line.
    case shell(String)

    /// The program and its arguments, from a JSON array; maybe empty.
    case exec([String])
}

/// The payload of RUN.
public struct Run: Hashable, Sendable {
    /// The network of the command.
    public enum Network: String, Hashable, Sendable {
        /// The network of the builder.
        case `default`

        /// No network but the loopback.
        case none

        /// The machine's own network.
        case host
    }

    /// The privileges of the command.
    public enum Security: String, Hashable, Sendable {
        /// No more than usual.
        case sandbox

        /// Everything.
        case insecure
    }

    /// The values of `--mount`, in order, unexpanded; split them with ``CommaSeparated/fields(_:)``.
    public let mounts: [String]

    /// The value of `--network`.
    public let network: Network

    /// The value of `--security`.
    public let security: Security

    /// The values of `--device`, in order.
    public let devices: [Device]

    /// The command without flags; for a here-document only its opening line.
    public let command: ShellOrExec

    /// The here-documents in the order of their markers; empty for the exec form.
    public let heredocs: [Heredoc]
}

/// The value of one `--device` of RUN.
public struct Device: Hashable, Sendable {
    /// The CDI name: `vendor/class`, `vendor/class=device`, or the name of a class annotation.
    public let name: String

    /// Whether a missing device fails the step.
    public let isRequired: Bool
}

/// One source of COPY or ADD.
public enum CopySource: Hashable, Sendable {
    /// A path, pattern or URL, unexpanded.
    case path(String)

    /// A file written in the Dockerfile itself.
    case heredoc(Heredoc)
}

/// The payload of COPY.
public struct Copy: Hashable, Sendable {
    /// The sources as written; never empty. BuildKit copies paths first and here-documents last.
    public let sources: [CopySource]

    /// The destination, unexpanded.
    public let destination: String

    /// The value of `--from`; an empty one means the build context, as `nil` does.
    public let from: String?

    /// The value of `--chown`, unexpanded.
    public let chown: String?

    /// The value of `--chmod`, unexpanded.
    public let chmod: String?

    /// Whether `--link` is given and not false.
    public let link: Bool

    /// Whether `--parents` is given and not false.
    public let parents: Bool

    /// The values of `--exclude`, which are ignore patterns and never expanded.
    public let excludes: [String]
}

/// The payload of ADD.
public struct Add: Hashable, Sendable {
    /// The sources as written; never empty. BuildKit copies paths first and here-documents last.
    public let sources: [CopySource]

    /// The destination, unexpanded.
    public let destination: String

    /// The value of `--chown`, unexpanded.
    public let chown: String?

    /// The value of `--chmod`, unexpanded.
    public let chmod: String?

    /// The value of `--checksum`, unexpanded.
    public let checksum: String?

    /// Whether `--link` is given and not false.
    public let link: Bool

    /// The value of `--keep-git-dir`, `nil` if not given.
    public let keepGitDir: Bool?

    /// The value of `--unpack`, `nil` if not given, which unpacks local archives only.
    public let unpack: Bool?

    /// The values of `--exclude`, which are ignore patterns and never expanded.
    public let excludes: [String]
}

/// The payload of HEALTHCHECK. Durations are nanoseconds; 0 means the default.
public struct Healthcheck: Hashable, Sendable {
    /// How health is checked.
    public enum Test: Hashable, Sendable {
        /// `HEALTHCHECK NONE`: switch off the check of the base image.
        case none

        /// A command that succeeds when the container is healthy.
        case command(ShellOrExec)
    }

    /// How health is checked.
    public let test: Test

    /// The time between two checks.
    public let interval: Int64

    /// How long a check may take.
    public let timeout: Int64

    /// How long failures do not count at the start.
    public let startPeriod: Int64

    /// The time between two checks during the start period.
    public let startInterval: Int64

    /// How many failures in a row make a container unhealthy; 0 means the default.
    public let retries: Int
}

/// The payload of ONBUILD.
public struct Onbuild: Hashable, Sendable {
    /// The trigger as it is stored in an image: the instruction's text with its here-document bodies behind it.
    ///
    /// Parse it with ``Instruction/parseTrigger(_:at:)`` when it fires; until then it may well be nonsense.
    public let trigger: String
}
