import CLinux
import Diagnostics
import Glibc
import Synchronization
import SystemPackage

/// A program of the host that runs beside this one, with nothing of this process but what it is given: a clean
/// environment, no descriptors, no input.
///
/// Use it from one thread; ``kill()`` may be called from any other, before, during and after.
package final class ChildProcess: Sendable {
    /// The result of a program.
    package struct Outcome: Sendable {
        /// The exit code, or 128 and the number of the signal that ended it.
        package let status: Int
        package let output: [UInt8]
        /// The end of what it wrote to its standard error.
        package let errors: [UInt8]
    }

    private enum State {
        case waiting
        case running(pid_t)
        case ended
        /// Killed before or while it ran.
        case killed
    }

    private let state = Mutex(State.waiting)
    private let program: String
    private let arguments: [String]
    private let environment: [String]

    /// `program` is a path, or a name to look for in this process's `PATH`; `environment` is `NAME=value`, all of it.
    package init(_ program: String, _ arguments: [String], environment: [String]) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
    }

    /// Whether ``kill()`` was called in time.
    package var isKilled: Bool { state.withLock { if case .killed = $0 { true } else { false } } }

    /// Ends the program and all that it started and that stayed in its process group.
    package func kill() {
        state.withLock { state in
            // It is not reaped before the state changes, so the number is still its own.
            if case .running(let pid) = state { Glibc.kill(-pid, SIGKILL) }
            if case .ended = state { return }
            state = .killed
        }
    }

    /// Runs the program to its end; call it once. After ``kill()`` the outcome means nothing.
    ///
    /// `limit` is how many bytes of output it may write, lest it fill the memory; `onError` gets what it writes to its
    /// standard error as it comes. Throws `LinuxError`, `.notFound` when there is no such program.
    package func run(limit: Int = 16 << 20, onError: ([UInt8]) -> Void = { _ in }) throws -> Outcome {
        let output = try Pipe()
        let errors = try Pipe()
        let pid = try state.withLock { state -> pid_t? in
            if case .killed = state { return nil }
            let pid = try spawn(output: output.writing.number, errors: errors.writing.number)
            state = .running(pid)
            return pid
        }
        guard let pid else { return Outcome(status: 128 + Int(SIGKILL), output: [], errors: []) }
        var collector = OutputCollector(output.closingWriting(), errors.closingWriting(), limit: limit)
        do { try collector.collect(onError) } catch {
            kill()
            _ = try? reap(pid)
            throw error
        }
        let status = try reap(pid)
        let signal = status & 0x7f
        return Outcome(
            status: Int(signal == 0 ? status >> 8 & 0xff : 128 + signal), output: collector.output,
            errors: collector.errors)
    }

    private func reap(_ pid: pid_t) throws -> CInt {
        var information = unsafe siginfo_t()
        try check("wait for", program) { unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) }
        return try state.withLock { state in
            if case .running = state { state = .ended }
            var status: CInt = 0
            try check("wait for", program) { unsafe waitpid(pid, &status, 0) }
            return status
        }
    }

    private func spawn(output: CInt, errors: CInt) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
        unsafe linux_spawn_add_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that what it starts ends with it; and the signals as a new session would have them.
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        let flags = CInt(POSIX_SPAWN_SETPGROUP) | CInt(POSIX_SPAWN_SETSIGDEF) | CInt(POSIX_SPAWN_SETSIGMASK)
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        var process: pid_t = 0
        let error = unsafe withCStrings([program] + arguments) { arguments in
            unsafe withCStrings(environment) { environment in
                unsafe posix_spawnp(&process, program, &actions, &attributes, arguments, environment)
            }
        }
        guard error == 0 else { throw LinuxError(Errno(rawValue: error), "run", program) }
        return process
    }
}

/// Calls `body` with strings as the C array with a null at the end that exec wants.
package func withCStrings<Value>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
) -> Value {
    let pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("the array holds at least its end") }
        return unsafe body(base)
    }
}

/// Reads both outputs of a process until both end.
private struct OutputCollector: ~Copyable {
    private let outputPipe: OwnedDescriptor
    private let errorPipe: OwnedDescriptor
    private let limit: Int
    private(set) var output: [UInt8] = []
    private(set) var errors: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// So much is kept of the errors.
    private static let errorLimit = 16 << 10

    init(_ output: consuming OwnedDescriptor, _ errors: consuming OwnedDescriptor, limit: Int) {
        outputPipe = output
        errorPipe = errors
        self.limit = limit
    }

    mutating func collect(_ onError: ([UInt8]) -> Void) throws {
        let readable = Int16(POLLIN)
        var polled = [outputPipe.number, errorPipe.number].map { pollfd(fd: $0, events: readable, revents: 0) }
        while polled.contains(where: { $0.fd >= 0 }) {
            try check("wait for", "output") {
                unsafe polled.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t($0.count), -1) }
            }
            // The kernel ignores entries with a negative descriptor.
            if polled[0].fd >= 0, polled[0].revents != 0 {
                let count = try outputPipe.read(into: &buffer)
                guard output.count + count <= limit else {
                    throw LinuxError(.other, "a program wrote more than \(limit) bytes")
                }
                output += buffer[..<count]
                if count == 0 { polled[0].fd = -1 }
            }
            if polled[1].fd >= 0, polled[1].revents != 0 {
                let count = try errorPipe.read(into: &buffer)
                if count == 0 { polled[1].fd = -1 } else { onError(Array(buffer[..<count])) }
                errors = Array((errors + buffer[..<count]).suffix(Self.errorLimit))
            }
        }
    }
}
