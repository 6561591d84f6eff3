import CLinux
import Dispatch
import Glibc
package import SystemPackage

/// A stream socket in the file system that passes every connection on to another one, until it is dropped.
///
/// So that others may use a socket that is not theirs: its file has an owner and a mode of its own, and whoever listens
/// at the other end sees this process as the one that connects.
package final class SocketRelay: Sendable {
    /// Kept open by the thread that accepts, so that its number means nothing else while that runs.
    private final class Listener: Sendable {
        let descriptor: OwnedDescriptor

        init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    }

    private let listener: Listener

    /// - Parameters:
    ///   - name: of the socket to be made.
    ///   - directory: where it is made.
    ///   - target: the socket that connections are passed on to, as an absolute path.
    /// - Throws: `LinuxError` when the socket cannot be made.
    package init(_ name: PathBytes, in directory: borrowing Directory, to target: FilePath) throws {
        // The path of a socket is short by law; that of a directory need not be.
        let path = PathBytes("/proc/self/fd/\(directory.descriptor.number)").appending(name)
        let number = try unsafe path.withCString { text in
            try check("listen at", name) { unsafe linux_unix_listen(text) }
        }
        let listener = Listener(OwnedDescriptor(FileDescriptor(rawValue: number)))
        self.listener = listener
        DispatchQueue(label: "relay").async { Self.accept(listener, target) }
    }

    /// Ends the listening; a connection ends when one of its two sides does.
    deinit { shutdown(listener.descriptor.number, CInt(SHUT_RDWR)) }

    private static func accept(_ listener: Listener, _ target: FilePath) {
        let connections = DispatchQueue(label: "relay.connections", attributes: .concurrent)
        while true {
            let number = linux_unix_accept(listener.descriptor.number)
            guard number >= 0 else {
                if [.interrupted, .connectionAbort].contains(Errno.current) { continue }
                return
            }
            let client = Listener(OwnedDescriptor(FileDescriptor(rawValue: number)))
            // Whoever connects while the target is gone finds the connection closed.
            let server = unsafe target.withPlatformString { unsafe linux_unix_connect($0) }
            guard server >= 0 else { continue }
            let other = Listener(OwnedDescriptor(FileDescriptor(rawValue: server)))
            connections.async { join(client.descriptor, other.descriptor) }
        }
    }

    /// Copies what arrives at either side to the other, until one of them ends.
    private static func join(_ left: borrowing OwnedDescriptor, _ right: borrowing OwnedDescriptor) {
        var events = [left.number, right.number].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe events.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, -1) }
            guard count > 0 || Errno.current == .interrupted else { return }
            if events[0].revents != 0, !copy(left, right.number, &buffer) { return }
            if events[1].revents != 0, !copy(right, left.number, &buffer) { return }
        }
    }

    /// Copies what there is; `false` at the end.
    private static func copy(
        _ source: borrowing OwnedDescriptor, _ target: CInt, _ buffer: inout [UInt8]
    ) -> Bool {
        guard let count = try? source.read(into: &buffer), count > 0 else { return false }
        var start = 0
        while start < count {
            // Not write: that would end the program when the other side is gone.
            let sent = unsafe buffer.withUnsafeBytes {
                unsafe send(target, $0.baseAddress.map { unsafe $0 + start }, count - start, CInt(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            start += sent
        }
        return true
    }
}
