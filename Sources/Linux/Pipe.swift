import CLinux
import SystemPackage

/// Both ends of a pipe, of which neither is left to children that are not meant to have it.
package struct Pipe: ~Copyable {
    package let reading: OwnedDescriptor
    package let writing: OwnedDescriptor

    /// The corresponding system call is `pipe2(2)`.
    package init() throws {
        var ends: [CInt] = [0, 0]
        try check("make", "a pipe") { unsafe linux_pipe(&ends) }
        reading = OwnedDescriptor(FileDescriptor(rawValue: ends[0]))
        writing = OwnedDescriptor(FileDescriptor(rawValue: ends[1]))
    }

    /// The reading end; the other is closed, so that reading ends when the other process does.
    package consuming func closingWriting() -> OwnedDescriptor { reading }
}
