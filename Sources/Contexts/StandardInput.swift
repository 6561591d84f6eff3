import Diagnostics
package import Layers
import Linux
import SystemPackage

/// The kind of this program's standard input.
package enum StandardInput {
    /// A second descriptor of it, as the number 0 must stay taken.
    private static func open() throws -> OwnedDescriptor {
        OwnedDescriptor(try FileDescriptor.standardInput.duplicate())
    }

    package static func stream() throws -> any ByteStream { DescriptorStream(try open()) }

    package static func readAll(limit: Int) throws -> [UInt8] { try open().readAll(limit: limit) }
}
