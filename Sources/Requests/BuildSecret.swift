import Diagnostics
import DockerfileSyntax
import Linux
package import SystemPackage
import Trees

/// A value that the user gives to `RUN --mount=type=secret`.
package struct BuildSecret: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        case file(FilePath)
        case value(String)
    }

    package let id: String
    package let source: Source

    package init(id: String, source: Source) {
        self.id = id
        self.source = source
    }

    /// In bytes, as in BuildKit.
    private static let sizeLimit = 500 * 1024

    /// Parses the argument of `--secret`: `id=ID[,src=PATH][,env=VARIABLE][,type=file|env]`.
    ///
    /// Without a source the variable of that name is taken, and if there is none the file.
    ///
    /// - Throws: ``RequestsError`` `.badSecret` for what cannot be understood, or a file that is missing or too large.
    package static func parse(_ text: String, environment: [String: String]) throws -> BuildSecret {
        var (id, path, variable, type) = ("", "", "", "")
        for field in try fields(text) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw invalid("invalid field '\(field)' must be a key=value pair") }
            switch parts[0].lowercased() {
            case "type":
                guard ["file", "env"].contains(parts[1]) else {
                    throw invalid("unsupported secret type \"\(parts[1])\"", hint: "Use file or env.")
                }
                type = parts[1]
            case "id": id = parts[1]
            case "source", "src": path = parts[1]
            case "env": variable = parts[1]
            case let key: throw invalid("unexpected key '\(key)' in '\(field)'", hint: "Use id, src, env and type.")
            }
        }
        guard !id.isEmpty else { throw invalid("secret missing ID", hint: "Write it as id=NAME,src=PATH.") }
        if type == "env", variable.isEmpty { (variable, path) = (path, "") }
        if path.isEmpty, variable.isEmpty {
            if type != "file", environment[id] != nil { variable = id } else { path = id }
        }
        guard path.isEmpty else { return BuildSecret(id: id, source: .file(try checked(path, id: id))) }
        return BuildSecret(id: id, source: .value(environment[variable] ?? ""))
    }

    private static func fields(_ text: String) throws -> [String] {
        do { return try CommaSeparated.fields(text) } catch {
            throw invalid("failed to parse csv secret: \(error.message)")
        }
    }

    private static func checked(_ path: String, id: String) throws -> FilePath {
        let size: Int64
        do { size = try FileStatus(of: FilePath(path)).size } catch let error as LinuxError {
            throw RequestsError(
                .badSecret, "failed to stat \(path): \(error.errno.map(String.init(describing:)) ?? error.message)",
                cause: error)
        }
        guard size <= sizeLimit else { throw tooLarge(id) }
        return FilePath(path)
    }

    private static func tooLarge(_ id: String) -> RequestsError { invalid("secret \(id) too big. max size 500KB") }

    private static func invalid(_ message: String, hint: String? = nil) -> RequestsError {
        RequestsError(.badSecret, message, hint: hint)
    }

    /// The value, byte for byte.
    package func read() throws -> [UInt8] {
        switch source {
        case .value(let text): return Array(text.utf8)
        case .file(let path):
            let file = try OwnedDescriptor.open(path)
            guard try file.status().size <= Self.sizeLimit else { throw Self.tooLarge(id) }
            return try file.readAll(limit: Self.sizeLimit)
        }
    }
}

/// An SSH agent that the user forwards to `RUN --mount=type=ssh`: its socket, or the files of the keys it is to have.
package struct AgentSocket: Hashable, Sendable {
    /// Empty for the default one.
    package let id: String
    /// The socket; the first of the keys where it is an agent that has to be started.
    package let path: FilePath
    /// Absolute; empty for a socket.
    package let keys: [FilePath]

    package init(id: String, path: FilePath, keys: [FilePath] = []) {
        self.id = id == "default" ? "" : id
        self.path = path
        self.keys = keys
    }

    /// Parses the argument of `--ssh`: `default` or `ID[=SOCKET|KEY[,KEY]]`. Without either it is the socket of
    /// `SSH_AUTH_SOCK`.
    ///
    /// - Throws: ``RequestsError`` `.badAgent` when there is no such file.
    package static func parse(_ text: String, environment: [String: String]) throws -> AgentSocket {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var path = parts.count == 2 ? parts[1] : ""
        if path.isEmpty { path = environment["SSH_AUTH_SOCK"] ?? "" }
        guard !path.isEmpty else {
            throw RequestsError(
                .badAgent, "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set",
                hint: "Start an agent with ssh-agent and add a key with ssh-add.")
        }
        let paths = path.split(separator: ",").map { FileSystem.absolute(FilePath(String($0))) }
        let types = try paths.map { path in
            do { return try FileStatus(of: path).type } catch let error as LinuxError {
                throw RequestsError(
                    .badAgent, "failed to stat \(path): \(error.errno.map(String.init(describing:)) ?? error.message)",
                    cause: error)
            }
        }
        if types == [.socket] { return AgentSocket(id: parts[0], path: FilePath(path)) }
        guard let first = paths.first, types.allSatisfy({ $0 == .regular }) else {
            throw RequestsError(
                .badAgent, "--ssh takes the socket of one agent or files with keys, and '\(path)' is neither",
                hint: "Write it as ID=SOCKET or ID=KEY,KEY.")
        }
        return AgentSocket(id: parts[0], path: first, keys: paths)
    }
}
