import Glibc
import SystemPackage

/// The result of a command that has ended.
struct Finished: Sendable {
    /// The exit code, or 128 and the signal's number, as a shell counts it.
    let status: Int32
    let output: [UInt8]
    let errors: [UInt8]

    var outputText: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: errors, as: UTF8.self) }
    var outputLines: [String] { outputText.lines }
    var errorLines: [String] { errorText.lines }
    /// The output without the white space around it.
    var trimmed: String { outputText.trimmed }
}

/// A child process in a process group of its own; its output goes to files, so it never waits for its reader.
struct RunningProcess: Sendable {
    let id: pid_t
    private let output: FileDescriptor
    private let errors: FileDescriptor

    /// Starts `arguments`, the first of which is looked up in PATH, with `environment` set besides this process's own,
    /// in `directory` or else this process's own.
    init(
        _ arguments: [String], environment: [String: String] = [:], in directory: FilePath? = nil,
        input: FilePath = "/dev/null"
    ) throws {
        output = try Self.namelessFile()
        errors = try Self.namelessFile()
        let source = try FileDescriptor.open(input, .readOnly, options: .closeOnExec)
        defer { try? source.close() }

        // env(1) sets variables and the directory, so that nothing here copies `environ`.
        var words = ["env"]
        if let directory { words.append("--chdir=\(directory)") }
        words += environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        words += arguments
        id = try Self.spawn(words, [source, output, errors])
    }

    /// A file without a name, gone when it is closed.
    private static func namelessFile() throws -> FileDescriptor {
        let nameless = FileDescriptor.OpenOptions(rawValue: 0o20_200_000)  // O_TMPFILE
        let directory = FilePath(environmentVariable("TMPDIR") ?? "/tmp")
        return try FileDescriptor.open(
            directory, .readWrite, options: [nameless, .closeOnExec], permissions: .ownerReadWrite)
    }

    private static func spawn(_ words: [String], _ streams: [FileDescriptor]) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in streams.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, stream.rawValue, Int32(number))
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // The threads that tests run on block signals, which a process would inherit: SIGTERM would not end it.
        var blocked = sigset_t()
        unsafe sigemptyset(&blocked)
        unsafe posix_spawnattr_setsigmask(&attributes, &blocked)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        unsafe posix_spawnattr_setpgroup(&attributes, 0)

        var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        var id: pid_t = 0
        let status = unsafe posix_spawnp(&id, "env", &actions, &attributes, &pointers, environ)
        guard status == 0 else { throw Errno(rawValue: status) }
        return id
    }

    /// Sends a signal to the process alone, not to its children.
    func send(_ signal: Int32) {
        kill(id, signal)
    }

    /// The text printed to standard error so far.
    func errorsSoFar() throws -> String {
        String(decoding: try Self.contents(of: errors), as: UTF8.self)
    }

    /// The text printed to standard output so far.
    func outputSoFar() throws -> String {
        String(decoding: try Self.contents(of: output), as: UTF8.self)
    }

    /// Waits for the end, once; after `limit` the whole process group is killed, which shows as status 137.
    func wait(limit: Duration = .seconds(300)) throws -> Finished {
        defer {
            try? output.close()
            try? errors.close()
        }
        let end = ContinuousClock.now + limit
        var state: Int32 = 0
        while unsafe waitpid(id, &state, WNOHANG) == 0 {
            if ContinuousClock.now > end { kill(-id, SIGKILL) }
            usleep(3000)
        }
        let signal = state & 0x7f
        return Finished(
            status: signal == 0 ? (state >> 8) & 0xff : 128 + signal, output: try Self.contents(of: output),
            errors: try Self.contents(of: errors))
    }

    private static func contents(of file: FileDescriptor) throws -> [UInt8] {
        var status = stat()
        guard unsafe fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        return try unsafe [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            count = try unsafe file.read(fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}

/// A command of the system that did not do what a test needs of it.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
}

/// Runs a command to its end, whatever that is.
@discardableResult
func run(
    _ arguments: String..., environment: [String: String] = [:], in directory: FilePath? = nil,
    input: FilePath = "/dev/null"
) throws -> Finished {
    try RunningProcess(arguments, environment: environment, in: directory, input: input).wait()
}

/// Runs a command that must succeed, and gives what it printed.
@discardableResult
func expectSuccess(
    _ arguments: String..., environment: [String: String] = [:], in directory: FilePath? = nil
) throws -> Finished {
    let finished = try RunningProcess(arguments, environment: environment, in: directory).wait()
    guard finished.status == 0 else {
        throw CommandFailure(
            description: "'\(arguments.joined(separator: " "))' ended with \(finished.status): \(finished.errorText)")
    }
    return finished
}

extension String {
    /// The lines, without a last empty one.
    var lines: [String] {
        var lines = split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// The text without the white space around it.
    var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
