import Linux
import Store
import SystemPackage

/// The files that every command of a build sees in place of its image's own.
///
/// They live in a directory of this build's own, which goes away with it.
final class SandboxFiles: Sendable {
    let settings: SandboxSettings
    private let directory: TemporaryDirectory

    init(
        in store: StoreRoot, _ request: SandboxRequest, isolation: StepIsolation, hostname: String = "buildkitsandbox"
    ) throws {
        directory = try store.temporaryDirectory()
        let path = directory.path
        settings = SandboxSettings(
            resolvConf: path.appending("resolv.conf"), hosts: path.appending("hosts"),
            scratch: path.appending("root"), isolation: isolation, request: request)
        let hostResolvConf = try Self.hostResolvConf()
        try FileSystem.write(Array(hostResolvConf.utf8), to: settings.resolvConf)
        let hosts = "127.0.0.1\tlocalhost \(hostname)\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        try FileSystem.write(Array(hosts.utf8), to: settings.hosts)
        try Directory(opening: path).makeDirectory("root", permissions: 0o700)
    }

    /// The host's own file, as commands share the host's network; behind systemd's stub the file with the real servers.
    private static func hostResolvConf() throws -> String {
        let own = (try? readText("/etc/resolv.conf")) ?? ""
        let servers = own.split(separator: "\n").filter { $0.hasPrefix("nameserver") }
        if servers.count == 1, servers[0].contains("127.0.0.53"),
            let real = try? readText("/run/systemd/resolve/resolv.conf")
        {
            return real
        }
        return own
    }
}
