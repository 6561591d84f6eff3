import Glibc
import SystemPackage
import Testing

/// A dockerd of its own, with a socket in a scratch directory and without a network.
struct PrivateDocker {
    private let socket: String

    /// Debian's client: others want a plug-in or a context.
    private static let client = unsafe access("/usr/bin/docker", X_OK) == 0 ? "/usr/bin/docker" : "docker"

    /// Runs `body` with a fresh daemon.
    static func with(in scratch: Scratch, _ body: (PrivateDocker) throws -> Void) throws {
        let path = scratch.path
        let docker = PrivateDocker(socket: "unix://\(path)/docker.sock")
        // Its mounts go with its mount namespace.
        let daemon = try RunningProcess([
            "unshare", "--mount", "dockerd", "--data-root", "\(path)/docker", "--exec-root", "\(path)/exec",
            "--pidfile", "\(path)/docker.pid", "-H", docker.socket, "--bridge=none", "--iptables=false",
        ])
        defer {
            daemon.send(SIGTERM)
            _ = try? daemon.wait(limit: .seconds(30))
        }
        try wait(until: { try docker.start(["version"]).status == 0 })
        try body(docker)
    }

    /// Runs the client to its end.
    func start(_ arguments: [String]) throws -> Finished {
        try RunningProcess([Self.client, "-H", socket] + arguments).wait()
    }
}
