import Glibc
import SystemPackage

/// Debian's docker-registry on a free port of the loopback device.
struct DockerRegistry {
    /// Host and port.
    let name: String

    static let user = "user"
    static let password = "secret"

    /// Runs `body` with a fresh registry; one that wants a login lets in nobody but ``user`` with ``password``.
    static func with(login: Bool = false, in scratch: Scratch, _ body: (DockerRegistry) throws -> Void) throws {
        let port = try freePort()
        var settings = """
            version: 0.1
            log: {level: error, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: \(scratch.path.appending("registry"))}}
            http: {addr: "127.0.0.1:\(port)"}

            """
        if login {
            // bcrypt of "secret"
            let users = try scratch.write(
                "\(user):$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n", to: "htpasswd")
            settings += "auth: {htpasswd: {realm: test, path: \(users)}}\n"
        }
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
        try body(DockerRegistry(name: "localhost:\(port)"))
    }

    private static func freePort() throws -> Int {
        let script = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
        guard let port = Int(try expectSuccess("python3", "-c", script).trimmed) else {
            throw CommandFailure(description: "there is no free port")
        }
        return port
    }
}
