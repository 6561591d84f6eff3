import CLinux
import Diagnostics
import Glibc
import Linux
package import SystemPackage

/// A network namespace that reaches the outside through `pasta`, a translator that runs as an ordinary program, for as
/// long as this is held.
///
/// Its commands get answers from the net, and nothing gets in but by the ports that are forwarded. Neither this machine's
/// loopback nor its abstract sockets can be reached. See `pasta(1)`.
package final class PrivateNetwork: Sendable {
    private let namespace: SharedDescriptor
    private let pasta: HelperProcess

    /// The address at which the host's own name servers answer inside.
    package static let nameServer = "169.254.1.1"

    /// - Parameters:
    ///   - directory: an empty directory for its files.
    ///   - reachesHost: whether the host's loopback is at the address of the gateway.
    ///   - ports: ports of this machine that lead inside.
    ///   - searchPath: where `pasta` is looked for.
    /// - Throws: `SandboxError` `.network`.
    package init(in directory: FilePath, reachesHost: Bool, ports: [ForwardedPort] = [], searchPath: String) throws {
        let number = try check("create", "a network namespace") { linux_new_network() }
        namespace = SharedDescriptor(OwnedDescriptor(FileDescriptor(rawValue: number)))
        let ready = directory.appending("ready")
        try check("create", ready) { unsafe ready.withPlatformString { unsafe mkfifo($0, 0o600) } }
        let fifo = try OwnedDescriptor.open(ready, .readOnly, options: .nonBlocking)
        do {
            pasta = try HelperProcess(
                Self.arguments(reachesHost: reachesHost, ports), environment: ["PATH=\(searchPath)"],
                log: directory.appending("pasta.log"), namespaces: .mount, after: Self.steps(number, ready: ready))
        } catch let error as SandboxError where error.code == .commandNotFound {
            throw SandboxError(
                .network, "the private network needs the program 'pasta', which is not installed",
                hint: "Install the package passt, or choose another --network.", cause: error)
        }
        // It writes its number when everything is set up.
        guard pasta.waits(for: fifo.number, milliseconds: 20_000) else {
            throw Self.withoutDevice ?? Self.failure(of: pasta)
        }
        _ = consume fifo
    }

    private static func failure(of pasta: HelperProcess) -> SandboxError {
        let reason = pasta.lastWords { $0.contains("to syslog") } ?? "it did not say why"
        return SandboxError(
            .network, "pasta could not set up the private network: \(reason)",
            hint: "Choose another --network, or see 'man pasta'.")
    }

    /// Why there is no private network here, if the reason is the device that `pasta` makes its end of the wire with.
    private static var withoutDevice: SandboxError? {
        let device: FilePath = "/dev/net/tun"
        do {
            _ = try OwnedDescriptor.open(device, .readWrite)
            return nil
        } catch {
            let reason =
                switch (error as? LinuxError)?.errno {
                case .noSuchFileOrDirectory: "which is not there"
                case .permissionDenied, .notPermitted: "which may not be opened"
                default: "which this kernel does not serve"
                }
            return SandboxError(
                .network, "the private network needs the device \(device), \(reason)",
                hint: "In a container, start it with '--device /dev/net/tun'; or choose another --network.",
                cause: error)
        }
    }

    /// The namespace as the child of a sandbox finds it, which has none of this process's descriptors itself.
    package var path: FilePath { Self.path(to: namespace.number) }

    private static func path(to descriptor: CInt) -> FilePath { FilePath("/proc/\(getpid())/fd/\(descriptor)") }

    /// pasta gives up most capabilities before it opens the namespace, and may not look into `/proc` of this process any
    /// more. So both files are mounted at paths of its own, where profiles of AppArmor allow it to open them.
    private static func steps(_ namespace: CInt, ready: FilePath) -> [SandboxStep] {
        let closed: MountFlags = [.noSetuid, .noDevices, .noExecute]
        return [
            SandboxStep(.mount(source: nil, target: "/", type: nil, flags: [.recursive, .isPrivate], data: nil)),
            SandboxStep(.openTree(slot: 0, root: nil, path: path(to: namespace))),
            SandboxStep(.openTree(slot: 1, root: nil, path: ready)),
            SandboxStep(.mount(source: "tmpfs", target: "/tmp", type: "tmpfs", flags: closed, data: "mode=700")),
            SandboxStep(.makeFile("/tmp/netns", content: [], permissions: 0o600, owner: geteuid(), group: getegid())),
            SandboxStep(.makeFile("/tmp/ready", content: [], permissions: 0o600, owner: geteuid(), group: getegid())),
            SandboxStep(.attach(slot: 0, target: "/tmp/netns")),
            SandboxStep(.attach(slot: 1, target: "/tmp/ready")),
        ]
    }

    private static func arguments(reachesHost: Bool, _ ports: [ForwardedPort]) -> [String] {
        let forwarded = [ForwardedPort.Transport.tcp, .udp].flatMap { transport in
            let words = ports.filter { $0.transport == transport }.flatMap { ["--\(transport)-ports", $0.word] }
            return words.isEmpty ? ["--\(transport)-ports", "none"] : words
        }
        return [
            "pasta", "--config-net", "--foreground", "--quiet", "--runas", "0", "--netns-only", "--netns", "/tmp/netns",
            "--pid", "/tmp/ready",
        ] + forwarded + ["--tcp-ns", "none", "--udp-ns", "none", "--dns-forward", nameServer]
            + (reachesHost ? [] : ["--no-map-gw"])
    }
}

/// A port of this machine whose connections go to one of a sandbox.
package struct ForwardedPort: Hashable, Sendable {
    package enum Transport: String, Hashable, Sendable {
        case tcp
        case udp
    }

    /// The address to listen at; `nil` for all of this machine.
    package let address: String?
    package let host: UInt16
    package let inside: UInt16
    package let transport: Transport

    package init(address: String?, host: UInt16, inside: UInt16, transport: Transport) {
        self.address = address
        self.host = host
        self.inside = inside
        self.transport = transport
    }

    /// The port as `pasta(1)` takes it.
    fileprivate var word: String { "\(address.map { "\($0)/" } ?? "")\(host):\(inside)" }
}
