import Diagnostics
import Glibc
import Linux
import SystemPackage

/// The contents of `/dev` in `chroot` mode.
///
/// Where devices may not be made, plain files stand in for them as far as they can.
struct DeviceDirectory {
    /// Whether devices could not be made.
    private(set) var isMakeshift = false
    /// Keeps a file for `/dev/null` empty, as long as it is held.
    private(set) var null: DiscardingFile?

    private static let nodes: [(name: PathBytes, major: UInt32, minor: UInt32)] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ]

    init(making name: PathBytes, in parent: borrowing Directory) throws {
        try parent.makeDirectory(name, permissions: 0o755)
        let directory = try parent.directory(name, resolving: .noSymlinks)
        for name: PathBytes in ["shm", "mqueue"] { try directory.makeDirectory(name, permissions: 0o1777) }
        try directory.makeDirectory("pts", permissions: 0o755)
        try Self.makeStreams(in: directory)
        for node in Self.nodes where try !Self.makeNode(node.name, node.major, node.minor, in: directory) {
            isMakeshift = true
            if node.name == "null" {
                null = try DiscardingFile(directory.create("null"))
                try directory.setPermissions("null", 0o666)
            } else {
                try Self.makeFile(node.name, in: directory)
            }
        }
    }

    /// The names of the outputs: without `/proc`, a link to the process's own would lead nowhere. Commands have the FIFOs
    /// themselves for their outputs, and their input is at its end.
    private static func makeStreams(in directory: borrowing Directory) throws {
        try directory.makeSymlink("stdin", to: "null")
        for name: PathBytes in ["stdout", "stderr"] {
            do {
                try directory.makeNode(name, .fifo, permissions: 0o600)
            } catch let error as LinuxError where error.code == .permission {
                // A file system without them.
                try directory.removeTree(name)
            }
        }
    }

    /// Returns whether the device is there and lets itself be opened: a file system may be mounted `nodev`, and a control
    /// group forbid it.
    private static func makeNode(
        _ name: PathBytes, _ major: UInt32, _ minor: UInt32, in directory: borrowing Directory
    ) throws -> Bool {
        do {
            try directory.makeNode(name, .characterDevice, permissions: 0o666, major: major, minor: minor)
            // Without a terminal there is none to open.
            if name != "tty" { _ = try directory.open(name, O_RDWR | O_NOFOLLOW, resolving: .noSymlinks) }
            return true
        } catch let error as LinuxError where error.code == .permission {
            try directory.removeTree(name)
            return false
        }
    }

    /// The nearest that a plain file comes to a device.
    private static func makeFile(_ name: PathBytes, in directory: borrowing Directory) throws {
        switch name {
        case "zero":
            // A hole reads as zeros and takes no space.
            let file = try directory.create(name)
            try check("extend", name) { ftruncate(file.number, 1 << 30) }
            try directory.setPermissions(name, 0o444)
        case "random", "urandom":
            let content = try OwnedDescriptor.open("/dev/urandom").readUpTo(1 << 20)
            try directory.create(name).write(content.span)
            try directory.setPermissions(name, 0o444)
        default: break
        }
    }
}

extension OwnedDescriptor {
    fileprivate func readUpTo(_ count: Int) throws -> [UInt8] {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while content.count < count {
            let read = try self.read(into: &buffer)
            if read == 0 { break }
            content += buffer[..<min(read, count - content.count)]
        }
        return content
    }
}
