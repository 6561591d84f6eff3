import Dispatch
import Glibc
import Synchronization

/// A server on a loopback port whose connections a closure serves, each on a thread of its own.
final class SocketServer: Sendable {
    /// A connection, read and written by blocking calls.
    struct Connection: Sendable {
        let number: Int
        fileprivate let descriptor: CInt

        /// Bytes that have come; none at the end.
        func read(_ limit: Int = 65536) -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: limit)
            let count = unsafe recv(descriptor, &buffer, limit, 0)
            return Array(buffer.prefix(max(count, 0)))
        }

        /// Reads the head of a request, and what has come of its body.
        func readRequest() -> String {
            var text = ""
            while !text.contains("\r\n\r\n") {
                let bytes = read()
                if bytes.isEmpty { break }
                text += String(decoding: bytes, as: UTF8.self)
            }
            return text
        }

        /// Whether all bytes were taken.
        @discardableResult
        func write(_ bytes: [UInt8]) -> Bool {
            var start = 0
            while start < bytes.count {
                let count = unsafe bytes.withUnsafeBytes { buffer in
                    unsafe send(
                        descriptor, buffer.baseAddress.map { unsafe $0 + start }, bytes.count - start,
                        CInt(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                start += count
            }
            return true
        }

        @discardableResult
        func write(_ text: String) -> Bool { write(Array(text.utf8)) }
    }

    let port: Int
    private let listener: CInt
    private let open = Mutex<[CInt]>([])
    private let accepted = Atomic(0)

    /// How many connections were made.
    var connectionCount: Int { accepted.load(ordering: .acquiring) }

    private init(_ serve: @escaping @Sendable (Connection) -> Void) {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = unsafe bind(listener, generic, size)
                _ = unsafe getsockname(listener, generic, &size)
            }
        }
        _ = listen(listener, 16)
        port = Int(UInt16(bigEndian: address.sin_port))
        DispatchQueue(label: "server").async { self.accept(serve) }
    }

    private func accept(_ serve: @escaping @Sendable (Connection) -> Void) {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
            open.withLock { $0.append(descriptor) }
            let number = accepted.add(1, ordering: .acquiringAndReleasing).newValue
            DispatchQueue(label: "connection").async { [self] in
                serve(Connection(number: number, descriptor: descriptor))
                open.withLock { open in
                    guard let index = open.firstIndex(of: descriptor) else { return }
                    open.remove(at: index)
                    close(descriptor)
                }
            }
        }
    }

    private func stop() {
        shutdown(listener, CInt(SHUT_RDWR))
        close(listener)
        open.withLock { open in
            for descriptor in open { shutdown(descriptor, CInt(SHUT_RDWR)) }
        }
    }

    /// Runs `body` with a server whose connections are closed when `serve` returns.
    static func with(
        serve: @escaping @Sendable (Connection) -> Void, _ body: (SocketServer) async throws -> Void
    ) async throws {
        let server = SocketServer(serve)
        defer { server.stop() }
        try await body(server)
    }
}
