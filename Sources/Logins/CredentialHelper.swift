import Diagnostics
import Glibc
import Linux
import OCI
import SystemPackage

/// A program that keeps credentials, `docker-credential-<name>`.
///
/// Source: the docker-credential-helpers project's protocol: the server on standard input, JSON on standard output,
/// errors on standard output with a non-zero exit code.
struct CredentialHelper {
    let name: String
    /// The program: a name to look for in `PATH`, or a path.
    let program: String
    let environment: [String: String]

    init(name: String, program: String? = nil, environment: [String: String]) {
        self.name = name
        self.program = program ?? "docker-credential-\(name)"
        self.environment = environment
    }

    /// Asks the helper about one server; `nil` when it knows nothing of it.
    func credential(for server: String) throws -> Credential? {
        let (status, output) = try run("get", input: server)
        guard status == 0 else {
            if Self.isUnknown(output) { return nil }
            throw failure(status, output)
        }
        guard let json = try? JSON(parsing: output), let user = json["Username"]?.string,
            let secret = json["Secret"]?.string
        else { throw failure("its answer is not the JSON expected") }
        if user == "<token>" { return .identityToken(secret) }
        return user.isEmpty ? nil : .password(user: user, password: secret)
    }

    /// Has the helper keep a login.
    func store(_ login: LoginFile.Login, for server: String) throws {
        let (user, secret) =
            switch login.credential {
            case .password(let user, let password): (user, password)
            case .identityToken(let token), .registryToken(let token): ("<token>", token)
            }
        let document = JSON.object(
            ("ServerURL", .string(server)), ("Username", .string(user)), ("Secret", .string(secret)))
        let (status, output) = try run("store", input: document.text())
        guard status == 0 else { throw failure(status, output) }
    }

    /// Has the helper forget the login of a server.
    func erase(_ server: String) throws {
        let (status, output) = try run("erase", input: server)
        guard status == 0 || Self.isUnknown(output) else { throw failure(status, output) }
    }

    private static func isUnknown(_ output: [UInt8]) -> Bool {
        String(decoding: output, as: UTF8.self).contains("credentials not found in native keychain")
    }

    private func failure(_ status: CInt, _ output: [UInt8]) -> LoginsError {
        let text = String(decoding: output, as: UTF8.self).printable(limit: 500)
        return failure(text.isEmpty ? "exit code \(status)" : text)
    }

    private func failure(_ reason: String, cause: (any Error)? = nil) -> LoginsError {
        LoginsError(
            .credentials, "the credential helper 'docker-credential-\(name.printable(limit: 100))' failed: \(reason)",
            hint: "Install the helper, or remove it from credsStore and credHelpers and log in again.", cause: cause)
    }

    /// Runs the helper to its end.
    ///
    /// Its input and its output are sockets: unlike pipes they can be made close-on-exec at once, and be written to
    /// without a signal when the helper has gone. Two, as one would be reset by a helper that does not read.
    private func run(_ command: String, input text: String) throws -> (status: CInt, output: [UInt8]) {
        guard !name.contains("/") else { throw failure("its name has a slash") }
        let line = Array(text.utf8)
        let input = try SocketPair()
        let output = try SocketPair()
        // A line this short fits into the socket's buffer.
        try check("write to", program) {
            unsafe send(input.own.number, line, line.count, CInt(MSG_NOSIGNAL))
        }
        try check("write to", program) { shutdown(input.own.number, CInt(SHUT_WR)) }
        let process = try spawn(command, input: input.other.number, output: output.other.number)
        let answer = output.closingOther()
        let bytes = try? answer.readAll(limit: 1 << 20)
        // Closed before the wait: a helper that says too much must not block for ever.
        _ = consume answer
        var status: CInt = 0
        try check("wait for", program) { unsafe waitpid(process, &status, 0) }
        let signal = status & 0x7f
        guard let bytes else { throw failure("it says more than 1 MiB") }
        return (signal == 0 ? status >> 8 & 0xff : 128 + signal, bytes)
    }

    private func spawn(_ command: String, input: CInt, output: CInt) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        // The threads that tasks run on block signals, which a helper would inherit.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var blocked = sigset_t()
        unsafe sigemptyset(&blocked)
        unsafe posix_spawnattr_setsigmask(&attributes, &blocked)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var process: pid_t = 0
        let error = unsafe withCStrings([program, command]) { arguments in
            unsafe withCStrings(environment.map { "\($0.key)=\($0.value)" }) { variables in
                unsafe posix_spawnp(&process, program, &actions, &attributes, arguments, variables)
            }
        }
        guard error == 0 else {
            let cause = Errno(rawValue: error)
            throw failure(cause == .noSuchFileOrDirectory ? "it is not installed" : "\(cause)", cause: cause)
        }
        return process
    }
}

/// Two connected sockets, one to keep and one to pass on.
private struct SocketPair: ~Copyable {
    let own: OwnedDescriptor
    let other: OwnedDescriptor

    init() throws {
        var ends: [CInt] = [0, 0]
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try check("make", "a socket pair") { unsafe socketpair(AF_UNIX, type, 0, &ends) }
        own = OwnedDescriptor(FileDescriptor(rawValue: ends[0]))
        other = OwnedDescriptor(FileDescriptor(rawValue: ends[1]))
    }

    /// The end to keep; the other is closed, so that reading ends when the other process does.
    consuming func closingOther() -> OwnedDescriptor { own }
}
