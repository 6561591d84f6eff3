import Glibc
import SystemPackage

/// Debian's docker-registry on a free port of the loopback device.
struct DockerRegistry {
    /// Host and port.
    let name: String
    private let process: RunningProcess

    /// The requests so far, each as `GET /v2/app/manifests/1`, without queries.
    func requests() throws -> [String] {
        try process.outputSoFar().lines.compactMap { line in
            let fields = line.split(separator: "\"", omittingEmptySubsequences: false)
            guard fields.count > 2, fields[1].contains("/v2/") else { return nil }
            return fields[1].split(separator: " ").prefix(2).map { $0.prefix { $0 != "?" } }.joined(separator: " ")
        }
    }

    /// The requests that `body` makes. The log may lag behind the answers; a request of our own is waited for at both ends.
    func requests(of body: () throws -> Void) throws -> [String] {
        let before = try mark()
        try body()
        let after = try mark()
        return Array(try requests()[(before + 1)..<after])
    }

    /// Asks for something that nobody else asks for, and gives its place among the requests.
    private func mark() throws -> Int {
        let name = "/v2/marks/manifests/\(UInt64.random(in: 0...UInt64.max))"
        // Whatever was answered before is in the log a moment later.
        usleep(50_000)
        let script = """
            import urllib.request, urllib.error
            try: urllib.request.urlopen('http://\(self.name)\(name)')
            except urllib.error.HTTPError: pass
            """
        try expectSuccess("python3", "-c", script)
        var place: Int?
        try wait(until: {
            place = try requests().firstIndex { $0.hasSuffix(name) }
            return place != nil
        })
        return place ?? 0
    }

    /// Takes a blob away, as a collection of the registry's garbage does.
    static func remove(_ digest: String, in scratch: Scratch) throws {
        let hex = digest.split(separator: ":").last.map(String.init) ?? digest
        let blobs = scratch.path.appending("registry/docker/registry/v2/blobs/sha256/\(hex.prefix(2))/\(hex)")
        try expectSuccess("rm", "-r", blobs.string)
    }

    static let user = "user"
    static let password = "secret"

    /// Runs `body` with a fresh registry; one that wants a login lets in nobody but ``user`` with ``password``.
    ///
    /// With certificates it speaks TLS, on all addresses. `authorization` is the value of `auth` in its settings.
    static func with(
        login: Bool = false, authorization: String? = nil, tls: TestCertificates? = nil, in scratch: Scratch,
        _ body: (DockerRegistry) throws -> Void
    ) throws {
        let port = try freePort()
        let address = tls == nil ? "127.0.0.1:\(port)" : "0.0.0.0:\(port)"
        var settings = """
            version: 0.1
            log: {level: error}
            storage: {filesystem: {rootdirectory: \(scratch.path.appending("registry"))}, delete: {enabled: true}}
            http: {addr: "\(address)"\(tls.map { ", tls: \($0.registrySettings)" } ?? "")}

            """
        if login {
            // bcrypt of "secret"
            let users = try scratch.write(
                "\(user):$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n", to: "htpasswd")
            settings += "auth: {htpasswd: {realm: test, path: \(users)}}\n"
        }
        if let authorization { settings += "auth: \(authorization)\n" }
        let process = try RunningProcess([
            "docker-registry", "serve", scratch.write(settings, to: "registry.yml").string,
        ])
        defer {
            process.send(SIGTERM)
            _ = try? process.wait(limit: .seconds(10))
        }
        try wait(until: {
            let script = "import socket, sys; socket.create_connection(('127.0.0.1', \(port)), 1)"
            return try run("python3", "-c", script).status == 0
        })
        let host = tls == nil ? "localhost" : TestCertificates.host
        try body(DockerRegistry(name: "\(host):\(port)", process: process))
    }

    static func freePort() throws -> Int {
        let script = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
        guard let port = Int(try expectSuccess("python3", "-c", script).trimmed) else {
            throw CommandFailure(description: "there is no free port")
        }
        return port
    }
}
