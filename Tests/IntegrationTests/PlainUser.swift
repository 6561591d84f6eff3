import SystemPackage

/// A user without privileges, who exists for one test only: the files that name it are laid over the machine's own in a
/// mount namespace of the command.
struct PlainUser: Sendable {
    /// The ranges of `/etc/subuid` and `/etc/subgid` for the user.
    enum Subordinates: String {
        case none = ""
        case range = "lamina-test:200000:65536\n"
    }

    static let number = 54321

    private let scratch: Scratch
    private let extra: [String]
    /// A script that root runs before each command, with the user's directory as `$0`.
    var preparation = ":"

    /// The user's own directory, with a home and the store in it.
    var path: FilePath { scratch.path }
    var store: FilePath

    init(_ subordinates: Subordinates = .range, variables: [String: String] = [:]) throws {
        scratch = try Scratch()
        store = scratch.path.appending("home/store")
        extra = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        for file in ["subuid", "subgid"] { try scratch.write(subordinates.rawValue, to: file) }
        let users = try text(of: "/etc/passwd")
        try scratch.write(
            users + "lamina-test:x:\(Self.number):\(Self.number)::\(path)/home:/bin/sh\n", to: "passwd")
        try scratch.write("", to: "lamina")
        try expectSuccess(
            "sh", "-ec", "chmod 755 \"$0\"; mkdir \"$0/home\"; chown \(Self.number):\(Self.number) \"$0/home\"",
            path.string)
    }

    private static let script = """
        eval "$PREPARATION"; unset PREPARATION
        for file in passwd subuid subgid; do mount --bind "$0/$file" "/etc/$file"; done
        mount --bind "$1" "$0/lamina"
        shift
        exec setpriv --reuid \(number) --regid \(number) --clear-groups -- "$@"
        """

    /// Starts a command as this user; `lamina` as its first word is the program under test.
    func start(_ arguments: [String], input: FilePath = "/dev/null") throws -> RunningProcess {
        guard let binary = Lamina.binary else {
            throw CommandFailure(description: "there is no lamina: build it, or name it in LAMINA_BINARY")
        }
        let program = path.appending("lamina").string
        let words = arguments.first == "lamina" ? [program] + arguments.dropFirst() : arguments
        let variables = [
            "HOME=\(path)/home", "LAMINA_ROOT=\(store)", "NO_COLOR=1", "PATH=/usr/local/bin:/usr/bin:/bin",
        ]
        return try RunningProcess(
            ["unshare", "--mount", "sh", "-ec", Self.script, path.string, binary.string, "env", "-i"] + variables
                + extra + words, environment: ["PREPARATION": preparation], in: "/", input: input)
    }

    func callAsFunction(_ arguments: String..., input: FilePath = "/dev/null") throws -> Finished {
        try start(arguments, input: input).wait()
    }

    /// Runs a command that must succeed, and gives what it printed.
    @discardableResult
    func succeeding(_ arguments: [String], input: FilePath = "/dev/null") throws -> Finished {
        let finished = try start(arguments, input: input).wait()
        guard finished.status == 0 else {
            throw CommandFailure(
                description: "'\(arguments.joined(separator: " "))' of another user ended with \(finished.status): "
                    + finished.errorText)
        }
        return finished
    }

    /// Writes a context that is one Dockerfile, and that this user may read.
    func context(_ dockerfile: String, named name: String = "context") throws -> FilePath {
        try scratch.context(dockerfile, named: name)
    }

    /// The paths below a directory of this user that belong to somebody else.
    func foreignFiles(in directory: FilePath) throws -> [String] {
        try expectSuccess("find", directory.string, "!", "-user", "\(Self.number)").outputLines
    }
}
