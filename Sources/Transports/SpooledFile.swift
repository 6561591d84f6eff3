import Diagnostics
import Glibc
package import Linux
package import OCI
import Synchronization
import SystemPackage

/// A file without a name, for bytes that must be known to their end before they can be used; gone with its last user.
package final class SpooledFile: Sendable {
    package let descriptor: SharedDescriptor
    private let length = Mutex<Int64>(0)
    private let space = Mutex(SpaceGuard())

    /// The directory for such files: `TMPDIR`, else `/var/tmp`, as `/tmp` is memory on many machines.
    private static var directory: FilePath {
        guard let text = unsafe getenv("TMPDIR"), unsafe text.pointee != 0 else { return "/var/tmp" }
        return unsafe FilePath(platformString: text)
    }

    package init() throws {
        let name = "lamina-\(ProcessIdentity.current)-\(UInt64.random(in: 0...UInt64.max))"
        let path = Self.directory.appending(name)
        let file = try OwnedDescriptor.open(
            path, .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
        try Directory(opening: Self.directory).unlink(PathBytes(name))
        descriptor = SharedDescriptor(file)
    }

    /// The bytes that were written so far.
    package var size: Int64 { length.withLock { $0 } }

    package func write(_ bytes: Span<UInt8>) throws {
        let (count, file) = (Int64(bytes.count), descriptor.descriptor.raw)
        try space.withLock { try $0.spend(count, on: file) }
        try descriptor.descriptor.write(bytes)
        length.withLock { $0 += count }
    }

    /// Reads what was written, from a place in it on.
    package func reader(from offset: Int64) -> any BlobReader {
        FileRangeReader(descriptor, min(offset, size)..<size)
    }
}
