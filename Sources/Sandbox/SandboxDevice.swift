import Linux
package import SystemPackage

/// A device of the host that a command may use.
package struct SandboxDevice: Hashable, Sendable {
    /// A character or block device of the host.
    package let source: FilePath
    /// The path of the device in the sandbox.
    package let target: FilePath

    package init(source: FilePath, target: FilePath) {
        self.source = source
        self.target = target
    }

    /// Whether there is a device at a path of the host.
    package static func isDevice(_ path: FilePath) -> Bool {
        guard let status = try? FileStatus(of: path) else { return false }
        return [.characterDevice, .blockDevice].contains(status.type)
    }

    /// Further mounts of a command with all privileges of the builder, as far as the host has them.
    static let insecureNames =
        ["kmsg", "cuse", "fuse", "kvm", "net/tun", "loop-control"] + (0..<8).map { "loop\($0)" }
}
