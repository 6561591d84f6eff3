import Diagnostics
import Layers
import Linux
import SystemPackage

/// What this program is given on its standard input.
enum StandardInput {
    /// A second descriptor of it, as the number 0 must stay taken.
    private static func open() throws -> OwnedDescriptor {
        OwnedDescriptor(try FileDescriptor.standardInput.duplicate())
    }

    static func stream() throws -> any ByteStream { DescriptorStream(try open()) }

    static func readAll(limit: Int) throws -> [UInt8] { try open().readAll(limit: limit) }
}
