import Glibc
import Linux
import SystemPackage
import Testing
import Trees

/// A web server on the loopback that serves a directory, with `ETag` and `Last-Modified`, odd paths for odd behaviour,
/// and the bare repositories in `git/`. It writes down what it was asked.
final class RemoteSourceServer: Sendable {
    let directory: FilePath
    let port: Int
    private let process: ChildProcess

    /// Runs `body` with a server for the files in `directory`, which the script and the log are put into as well.
    static func with<Value>(
        _ directory: FilePath, _ body: (RemoteSourceServer) async throws -> Value
    ) async throws -> Value {
        try writeFile(Array(script.utf8), directory.appending("server.py"))
        let process = ChildProcess(
            "python3", [directory.appending("server.py").string, directory.string], environment: ["PATH=\(searchPath)"])
        async let ended = offload { try process.run() }
        defer { process.kill() }
        let server = RemoteSourceServer(directory: directory, port: try await port(directory), process: process)
        let value = try await body(server)
        process.kill()
        _ = try await ended
        return value
    }

    private init(directory: FilePath, port: Int, process: ChildProcess) {
        self.directory = directory
        self.port = port
        self.process = process
    }

    private static func port(_ directory: FilePath) async throws -> Int {
        for _ in 0..<600 {
            if let port = try? readFile(directory.appending("port")), let number = Int(port) { return number }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ServerDidNotStart()
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// The requests since the last call: method, path and status.
    func takeRequests() throws -> [String] {
        let log = directory.appending("log")
        let lines = (try? readFile(log))?.split(separator: "\n").map(String.init) ?? []
        try writeFile([], log)
        return lines
    }

    func serve(_ name: String, _ content: String, modified: Int64 = 1_600_000_000) throws {
        try serve(name, Array(content.utf8), modified: modified)
    }

    func serve(_ name: String, _ content: [UInt8], modified: Int64 = 1_600_000_000) throws {
        try writeFile(content, directory.appending(name))
        try Directory(opening: directory).setModified(PathBytes(name), FileTime(seconds: modified))
    }

    struct ServerDidNotStart: Error {}

    static let searchPath = "/usr/local/bin:/usr/bin:/bin"

    private static let script = #"""
        import hashlib, http.server, os, subprocess, sys, time, urllib.parse
        from email.utils import formatdate

        root = sys.argv[1]
        seen = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def answer(self, status, fields={}, body=b"", length=None):
                with open(os.path.join(root, "log"), "a") as log:
                    log.write("%s %s %d\n" % (self.command, self.path, status))
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                path = self.path.split("?")[0]
                seen[path] = seen.get(path, 0) + 1
                if path.startswith("/git/"):
                    return self.git()
                if path.startswith("/to/"):
                    return self.answer(302, {"Location": path[3:]})
                if path == "/loop":
                    return self.answer(302, {"Location": "/loop"})
                if path == "/flaky" and seen[path] == 1:
                    return self.answer(503, {"Retry-After": "0"})
                if path == "/short":
                    self.answer(200, {}, b"abc", 1000)
                    self.close_connection = True
                    return
                if path == "/slow":
                    self.answer(200, {}, b"abc", 1000)
                    return time.sleep(60)
                if path.startswith("/away/"):
                    return self.answer(302, {"Location": self.elsewhere(path[5:])})
                if path.startswith("/auth/"):
                    if self.headers.get("Authorization") not in ["Bearer t0ken-value", "Own t0ken-value"]:
                        return self.answer(401)
                    path = path[5:]
                if path == "/open" and self.headers.get("Authorization"):
                    return self.answer(400)
                if path == "/login" and self.headers.get("Authorization") != "Basic dTpwOnE=":
                    return self.answer(401)
                if path == "/big":
                    self.answer(200, {}, b"", 64 << 20)
                    for _ in range(64):
                        self.wfile.write(b"\0" * (1 << 20))
                    return
                name = os.path.join(root, urllib.parse.unquote(path[1:]) if path != "/bare" else "flaky")
                if not os.path.isfile(name):
                    return self.answer(404, {}, b"nothing here")
                body = open(name, "rb").read()
                if path == "/bare":
                    return self.answer(200, {}, body)
                tag = '"%s"' % hashlib.md5(body).hexdigest()
                fields = {"ETag": tag, "Last-Modified": formatdate(os.stat(name).st_mtime, usegmt=True)}
                if self.headers.get("If-None-Match") == tag:
                    return self.answer(304, fields)
                self.answer(200, fields, body)

            def elsewhere(self, path):
                """The same server by another name."""
                return "http://localhost:%d%s" % (self.server.server_address[1], path)

            def do_POST(self):
                self.git()

            def git(self):
                path, _, query = self.path.partition("?")
                if path.startswith("/git/away/"):
                    return self.answer(302, {"Location": self.elsewhere(self.path.replace("/away", ""))})
                if path.startswith("/git/token/"):
                    if self.headers.get("Authorization") != "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4tdmFsdWU=":
                        return self.answer(401, {"WWW-Authenticate": "Basic realm=x"})
                    path = path.replace("/token", "")
                if path.startswith("/git/login/"):
                    if self.headers.get("Authorization") != "Basic dTpwOnE=":
                        return self.answer(401, {"WWW-Authenticate": "Basic realm=x"})
                    path = path.replace("/login", "")
                environment = {
                    "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": os.path.join(root, "git"),
                    "GIT_HTTP_EXPORT_ALL": "1", "REQUEST_METHOD": self.command, "PATH_INFO": path[4:],
                    "QUERY_STRING": query, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "REMOTE_ADDR": "127.0.0.1",
                    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
                }
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                output = subprocess.run(
                    ["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE).stdout
                head, _, body = output.partition(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
                self.answer(int(fields.pop("Status", "200 OK").split()[0]), fields, body)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        with open(os.path.join(root, "port.new"), "w") as port:
            port.write(str(server.server_address[1]))
        os.rename(os.path.join(root, "port.new"), os.path.join(root, "port"))
        server.serve_forever()
        """#
}

func writeFile(_ bytes: [UInt8], _ path: FilePath) throws {
    let file = try OwnedDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: 0o644))
    try file.write(bytes.span)
}

func readFile(_ path: FilePath) throws -> String {
    String(decoding: try OwnedDescriptor.open(path).readAll(limit: 1 << 28), as: UTF8.self)
}

/// Runs a program to its end and returns what it wrote; it must succeed.
@discardableResult
func runProgram(_ program: String, _ arguments: [String], environment: [String] = []) async throws -> String {
    let outcome = try await offload {
        try ChildProcess(
            program, arguments, environment: ["PATH=\(RemoteSourceServer.searchPath)"] + environment
        ).run()
    }
    try #require(outcome.status == 0, "\(program): \(String(decoding: outcome.errors, as: UTF8.self))")
    return String(decoding: outcome.output, as: UTF8.self)
}
