import Glibc
import Linux
import SystemPackage

/// Which of its two outputs a process wrote to.
package enum OutputStream: Hashable, Sendable {
    case standardOutput
    case standardError
}

/// The reading ends of a process's two outputs, or of the terminal that is both.
struct ProcessOutput {
    private let output: SharedDescriptor
    private let errors: SharedDescriptor?
    private let held: [SharedDescriptor]

    /// As long as there is something in `held` that writes to them, they do not end before the process does.
    init(_ output: SharedDescriptor, _ errors: SharedDescriptor?, held: [SharedDescriptor] = []) {
        self.output = output
        self.errors = errors
        self.held = held
    }

    /// Reads both until both are at their end, or `process` has ended and no more is there: a descriptor that found its
    /// way out of the sandbox, through a socket mounted into it, would keep a pipe open for ever.
    func forward(
        until process: borrowing OwnedDescriptor, to sink: (OutputStream, Span<UInt8>) throws -> Void
    ) throws {
        // The kernel ignores entries with a negative descriptor.
        let numbers = [output.number, errors?.number ?? -1]
        for number in numbers where number >= 0 {
            try check("configure", "a pipe") { fcntl(number, F_SETFL, O_NONBLOCK) }
        }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let readable = Int16(POLLIN)
        var polled = (numbers + [process.number]).map { pollfd(fd: $0, events: readable, revents: 0) }
        while polled[0].fd >= 0 || polled[1].fd >= 0 {
            try check("wait for", "output") {
                unsafe polled.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t($0.count), -1) }
            }
            // Seen before reading: whatever was written until then is in the pipes.
            let hasEnded = polled[2].revents != 0
            for (index, stream) in [(0, OutputStream.standardOutput), (1, .standardError)] {
                guard polled[index].fd >= 0, hasEnded || polled[index].revents != 0 else { continue }
                let isOpen = try drain(FileDescriptor(rawValue: numbers[index]), whole: hasEnded, &buffer) {
                    try sink(stream, $0)
                }
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
            } catch Errno.ioError {
                // A terminal that nobody has open any more.
                return false
            } catch let error as Errno {
                throw LinuxError(error, "read", "the output of a process")
            }
            if count == 0 { return false }
            try sink(buffer.span.extracting(0..<count))
        } while whole
        return true
    }
}
