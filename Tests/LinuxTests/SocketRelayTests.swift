import CLinux
import Glibc
import Linux
import SystemPackage
import Testing

@Suite struct SocketRelayTests {
    /// Two connections at once, through the relay to a server that answers in capitals, and none after its end.
    @Test func passesOn() throws {
        let path = "/tmp/relay-\(ProcessIdentity.current)"
        let parent = try Directory(opening: "/tmp")
        let name = PathBytes("relay-\(ProcessIdentity.current)")
        try parent.makeDirectory(name, permissions: 0o700)
        defer { try? parent.removeTree(name) }
        let server = unsafe linux_unix_listen("\(path)/server")
        defer { close(server) }
        var relay: SocketRelay? = try SocketRelay(
            "relay", in: parent.directory(name), to: FilePath(path).appending("server"))
        var clients: [CInt] = []
        for _ in 0..<2 {
            clients.append(unsafe linux_unix_connect("\(path)/relay"))
            let accepted = linux_unix_accept(server)
            let ours = OwnedDescriptor(FileDescriptor(rawValue: accepted))
            let client = OwnedDescriptor(FileDescriptor(rawValue: dup(clients[clients.count - 1])))
            try client.write([1, 2, 3].span)
            var buffer = [UInt8](repeating: 0, count: 10)
            #expect(try ours.read(into: &buffer) == 3)
            try ours.write([4].span)
            #expect(try client.read(into: &buffer) == 1)
            #expect(buffer[0] == 4)
        }
        #expect(clients.allSatisfy { $0 >= 0 })
        relay = nil
        #expect(relay == nil)
        #expect(unsafe linux_unix_connect("\(path)/relay") == -1)
        for client in clients { close(client) }
    }
}
