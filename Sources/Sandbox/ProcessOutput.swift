import CLinux
import Glibc
import Linux
import SystemPackage

/// Which of its two outputs a process wrote to.
package enum OutputStream: Hashable, Sendable {
    case standardOutput
    case standardError
}

/// The two ends of a pipe, both closed on execution.
struct Pipe: ~Copyable {
    let read: OwnedDescriptor
    let write: OwnedDescriptor

    /// The corresponding system call is `pipe2(2)`.
    init() throws {
        var ends: [CInt] = [-1, -1]
        try check("create", "a pipe") {
            unsafe ends.withUnsafeMutableBufferPointer { unsafe linux_pipe($0.baseAddress) }
        }
        read = OwnedDescriptor(FileDescriptor(rawValue: ends[0]))
        write = OwnedDescriptor(FileDescriptor(rawValue: ends[1]))
    }

    /// Closes the writing end: who reads finds the end.
    consuming func closingWriter() -> OwnedDescriptor { read }
}

/// The reading ends of a process's two outputs.
struct ProcessOutput: ~Copyable {
    private let output: OwnedDescriptor
    private let errors: OwnedDescriptor

    init(_ output: consuming OwnedDescriptor, _ errors: consuming OwnedDescriptor) {
        self.output = output
        self.errors = errors
    }

    /// Reads both until both are at their end, or `process` has ended and no more is there: a descriptor that found its
    /// way out of the sandbox, through a socket mounted into it, would keep a pipe open for ever.
    func forward(
        until process: borrowing OwnedDescriptor, to sink: (OutputStream, Span<UInt8>) throws -> Void
    ) throws {
        for number in [output.number, errors.number] {
            try check("configure", "a pipe") { fcntl(number, F_SETFL, O_NONBLOCK) }
        }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let readable = Int16(POLLIN)
        var polled = [output.number, errors.number, process.number].map { pollfd(fd: $0, events: readable, revents: 0) }
        while polled[0].fd >= 0 || polled[1].fd >= 0 {
            try check("wait for", "output") {
                unsafe polled.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t($0.count), -1) }
            }
            // Seen before reading: whatever was written until then is in the pipes.
            let hasEnded = polled[2].revents != 0
            for (index, stream) in [(0, OutputStream.standardOutput), (1, .standardError)] {
                guard polled[index].fd >= 0, hasEnded || polled[index].revents != 0 else { continue }
                let isOpen = try drain(index == 0 ? output.raw : errors.raw, whole: hasEnded, &buffer) {
                    try sink(stream, $0)
                }
                // The kernel ignores entries with a negative descriptor.
                if !isOpen || hasEnded { polled[index].fd = -1 }
            }
        }
    }

    /// Reads one buffer, or all that is there. Returns whether there may be more later.
    private func drain(
        _ descriptor: FileDescriptor, whole: Bool, _ buffer: inout [UInt8], _ sink: (Span<UInt8>) throws -> Void
    ) throws -> Bool {
        repeat {
            let count: Int
            do {
                count = try unsafe buffer.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
            } catch Errno.resourceTemporarilyUnavailable {
                return true
            } catch let error as Errno {
                throw LinuxError(error, "read", "the output of a process")
            }
            if count == 0 { return false }
            try sink(buffer.span.extracting(0..<count))
        } while whole
        return true
    }
}
