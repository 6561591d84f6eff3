import Glibc
import SystemPackage

/// The program under test, with a store of its own.
struct Lamina: Sendable {
    let root: FilePath
    var environment: [String: String] = [:]

    /// The folder that has Package.swift.
    static let packageRoot = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

    /// LAMINA_BINARY, else the newer of the programs that `swift build` has made.
    static let binary: FilePath? = {
        if let path = environmentVariable("LAMINA_BINARY") { return FilePath(path) }
        let made = [".build/release/lamina", ".build/debug/lamina"].map { packageRoot.appending($0) }
        return made.compactMap { path in
            var status = stat()
            guard unsafe stat(path.string, &status) == 0 else { return nil }
            return (path, status.st_mtim.tv_sec)
        }.max { (one: (FilePath, Int), other: (FilePath, Int)) in one.1 < other.1 }?.0
    }()

    /// Whether the program under test is the release build.
    static let isRelease = binary?.string.contains("/release/") == true

    init(root: FilePath) {
        self.root = root
    }

    /// The same store with other variables, such as a place for credentials.
    func with(_ environment: [String: String]) -> Lamina {
        var copy = self
        copy.environment = environment
        return copy
    }

    /// The same store, with another isolation of commands.
    func with(isolation: String) -> Lamina {
        var copy = self
        copy.environment["LAMINA_ISOLATION"] = isolation
        return copy
    }

    /// Starts `lamina` with `arguments` and does not wait.
    func start(_ arguments: [String], in directory: FilePath? = nil, input: FilePath = "/dev/null") throws
        -> RunningProcess
    {
        guard let binary = Self.binary else {
            throw CommandFailure(description: "there is no lamina: build it, or name it in LAMINA_BINARY")
        }
        // Rules for images are not evaluated because these tests run in continuous integration.
        var variables = ["LAMINA_ROOT": root.string, "NO_COLOR": "1", "CI": ""]
        variables.merge(environment) { $1 }
        return try RunningProcess(
            [binary.string] + arguments, environment: variables, in: directory, input: input)
    }

    /// Starts `lamina` with what a container of Docker's has that was given nothing: the default capabilities, and no way
    /// to make a user namespace, which the kernel denies processes whose root directory was changed.
    func startInContainer(_ arguments: [String]) throws -> RunningProcess {
        guard let binary = Self.binary else {
            throw CommandFailure(description: "there is no lamina: build it, or name it in LAMINA_BINARY")
        }
        let kept = [
            "chown", "dac_override", "fsetid", "fowner", "mknod", "net_raw", "setgid", "setuid", "setfcap", "setpcap",
            "net_bind_service", "sys_chroot", "kill", "audit_write",
        ]
        let set = (["-all"] + kept.map { "+\($0)" }).joined(separator: ",")
        let script = """
            mount --rbind / /mnt
            exec chroot /mnt setpriv --bounding-set "$0" --inh-caps=-all -- "$@"
            """
        var variables = ["LAMINA_ROOT": root.string, "NO_COLOR": "1", "CI": ""]
        variables.merge(environment) { $1 }
        return try RunningProcess(
            ["unshare", "--mount", "sh", "-ec", script, set, binary.string] + arguments, environment: variables)
    }

    /// Runs `lamina` to its end, whatever that is.
    func callAsFunction(_ arguments: String..., in directory: FilePath? = nil, input: FilePath = "/dev/null") throws
        -> Finished
    {
        try start(arguments, in: directory, input: input).wait()
    }

    /// Runs `lamina`, which must succeed, and gives what it printed.
    @discardableResult
    func succeeding(_ arguments: String...) throws -> Finished {
        try succeeding(arguments)
    }

    @discardableResult
    func succeeding(_ arguments: [String]) throws -> Finished {
        let finished = try start(arguments).wait()
        guard finished.status == 0 else {
            throw CommandFailure(
                description: "lamina \(arguments.joined(separator: " ")) ended with \(finished.status):\n"
                    + finished.errorText)
        }
        return finished
    }

    /// Builds a context quietly and gives the image's ID.
    @discardableResult
    func build(_ context: FilePath, _ arguments: String...) throws -> String {
        try succeeding(["build", "-q"] + arguments + [context.string]).trimmed
    }

    /// Every name and ID of the store, in order: what a failed command must not change.
    func state() throws -> [String] {
        try succeeding("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").outputLines.sorted()
    }
}

extension Lamina {
    /// The files that commands left in the store's working directory, without their locks.
    func unfinished() throws -> [String] {
        try expectSuccess("ls", root.appending("tmp").string).outputLines.filter { !$0.hasSuffix(".lock") }
    }
}

/// A variable of this process's environment, or nil where it is not set or empty.
func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
    return unsafe String(cString: value)
}
