import Dispatch
import Glibc
import Linux

/// Passes on what can be read from a descriptor of this process to a command, until one of them ends or this is dropped.
package final class InputPump: Sendable {
    /// Closing it wakes the thread that waits for input.
    private let waker: SharedDescriptor

    package init(from descriptor: CInt, to input: SandboxInput) throws {
        let pair = try DescriptorPair()
        waker = pair.theirs
        let sleeper = pair.ours
        DispatchQueue(label: "input").async { Self.copy(descriptor, to: input, until: sleeper) }
    }

    private static func copy(_ source: CInt, to input: SandboxInput, until sleeper: SharedDescriptor) {
        let readable = Int16(POLLIN)
        var polled = [source, sleeper.number].map { pollfd(fd: $0, events: readable, revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        while true {
            let ready = unsafe polled.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, -1) }
            if ready < 0, errno == EINTR { continue }
            guard ready > 0, polled[1].revents == 0 else { return }
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(source, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0, input.write(buffer[..<count]) else { return }
        }
    }
}
