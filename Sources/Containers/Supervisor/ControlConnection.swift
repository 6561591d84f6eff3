import CLinux
import Diagnostics
import Glibc
import Linux
import OCI
import SystemPackage

/// A connection between the supervisor of a container and another process: lines of JSON, and descriptors.
final class ControlConnection: Sendable {
    private let socket: SharedDescriptor

    /// The longest line that is taken.
    private static let limit = 4 << 20

    init(_ descriptor: consuming OwnedDescriptor) { socket = SharedDescriptor(descriptor) }

    /// Connects to the supervisor of a container.
    ///
    /// Throws ``ContainersError`` `.notRunning` when there is none.
    convenience init(to container: Container) throws {
        try container.requireRunning()
        // The path of a socket is short by law; that of a directory need not be.
        let directory = try Directory(opening: container.directory)
        let path = FilePath("/proc/self/fd/\(directory.descriptor.number)/control")
        let number = unsafe path.withPlatformString { unsafe linux_unix_connect($0) }
        guard number >= 0 else {
            throw ContainersError(
                .notRunning, "the supervisor of container \(container.record.name) does not answer: \(Errno.current)",
                hint: "It may have ended just now; see 'lamina ps -a'.")
        }
        self.init(OwnedDescriptor(FileDescriptor(rawValue: number)))
    }

    var number: CInt { socket.number }

    /// Sends a line, then descriptors. `false` when the other side is gone.
    @discardableResult
    func send(_ json: JSON, descriptors: [CInt] = []) -> Bool {
        let bytes = json.encoded() + [UInt8(ascii: "\n")]
        var sent = 0
        while sent < bytes.count {
            // Not write: that would end the program when the other side is gone.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    socket.number, $0.baseAddress.map { unsafe $0 + sent }, bytes.count - sent, CInt(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return descriptors.allSatisfy { linux_send_descriptor(socket.number, $0) == 0 }
    }

    /// The next line; `nil` when the other side is gone, and for what is no JSON.
    ///
    /// Byte by byte: what follows may be a descriptor.
    func receive() -> JSON? {
        var line: [UInt8] = []
        var byte = [UInt8](repeating: 0, count: 1)
        while line.count < Self.limit {
            guard let count = try? socket.descriptor.read(into: &byte), count == 1 else { return nil }
            if byte[0] == UInt8(ascii: "\n") { return try? JSON(parsing: line) }
            line.append(byte[0])
        }
        return nil
    }

    /// The next descriptor. Throws `LinuxError` when none comes.
    func receiveDescriptor() throws -> OwnedDescriptor {
        let number = try check("receive", "a descriptor") { linux_receive_descriptor(socket.number) }
        return OwnedDescriptor(FileDescriptor(rawValue: number))
    }

    /// Ends both directions, so that a thread that waits for a line gets none.
    func close() { shutdown(socket.number, CInt(SHUT_RDWR)) }
}
