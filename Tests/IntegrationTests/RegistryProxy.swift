import Glibc
import SystemPackage

/// A proxy of this machine before a registry, which misbehaves in one way: see `testdata/registry/proxy.py`.
struct RegistryProxy {
    /// Host and port.
    let name: String
    private let process: RunningProcess

    /// The requests so far: method, path, and the kind of authorization; those to the other host begin with `other`.
    func requests() throws -> [String] { try process.outputSoFar().lines.map { String($0) } }

    /// Runs `body` with a proxy before the registry on a port.
    static func with(_ mode: String, before registry: DockerRegistry, _ body: (RegistryProxy) throws -> Void) throws {
        let upstream = registry.name.split(separator: ":").last.map(String.init) ?? ""
        let (port, other) = (try DockerRegistry.freePort(), try DockerRegistry.freePort())
        let script = Lamina.packageRoot.appending("testdata/registry/proxy.py").string
        let process = try RunningProcess(["python3", script, "\(port)", upstream, mode, "\(other)"])
        defer {
            process.send(SIGTERM)
            _ = try? process.wait(limit: .seconds(10))
        }
        try wait(until: { try Self.listens(port) })
        try body(RegistryProxy(name: "localhost:\(port)", process: process))
    }

    static func listens(_ port: Int) throws -> Bool {
        let script = "import socket; socket.create_connection(('127.0.0.1', \(port)), 1)"
        return try run("python3", "-c", script).status == 0
    }
}
