import CLinux
import Diagnostics
import Dispatch
import Execution
import Glibc
import Linux
import OCI
import Sandbox
import Synchronization
import SystemPackage

/// The requests of other processes that a supervisor serves while its container runs: signals, further commands, files.
///
/// A process that may enter the directory of the container may connect.
final class ControlServer: Sendable {
    private struct State {
        var waiting: [ControlConnection] = []
        var isEnded = false
    }

    private let listener: SharedDescriptor
    private let spec: SandboxSpec
    private let process: Int32
    private let signaller: SandboxSignaller
    private let state = Mutex(State())
    private let commands = DispatchGroup()

    /// Listens at a socket in the directory of the container. `process` is the first process of its sandbox, which is not
    /// reaped before ``stop()`` has returned.
    init(_ container: Container, _ spec: SandboxSpec, process: Int32, _ signaller: SandboxSignaller) throws {
        let directory = try Directory(opening: container.directory)
        if try directory.statusIfExists("control") != nil { try directory.unlink("control") }
        let path = FilePath("/proc/self/fd/\(directory.descriptor.number)/control")
        let number = try check("listen at", "the socket of the container") {
            unsafe path.withPlatformString { unsafe linux_unix_listen($0) }
        }
        listener = SharedDescriptor(OwnedDescriptor(FileDescriptor(rawValue: number)))
        self.spec = spec
        self.process = process
        self.signaller = signaller
        DispatchQueue(label: "container.control").async { [self] in accept() }
    }

    /// Takes no further requests, and waits for the commands in the container, which end with its first process.
    func stop() {
        state.withLock { $0.isEnded = true }
        shutdown(listener.number, CInt(SHUT_RDWR))
        commands.wait()
    }

    /// Tells those who wait how the container ended.
    func tell(_ code: Int32) {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for connection in waiting { connection.send(.object(("status", .integer(code)))) }
    }

    private func accept() {
        while true {
            let number = linux_unix_accept(listener.number)
            guard number >= 0 else {
                if [.interrupted, .connectionAbort].contains(Errno.current) { continue }
                return
            }
            let connection = ControlConnection(OwnedDescriptor(FileDescriptor(rawValue: number)))
            // A queue of its own, as it blocks; and counted while the number of the first process is relied upon.
            let isLate = state.withLock { state in
                if !state.isEnded { commands.enter() }
                return state.isEnded
            }
            guard !isLate else { return }
            DispatchQueue(label: "container.request").async { [self] in
                answer(connection)
                commands.leave()
            }
        }
    }

    private func answer(_ connection: ControlConnection) {
        // Whoever connects and says nothing must not keep the container from ending.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        _ = unsafe setsockopt(
            connection.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard let request = connection.receive() else { return }
        do {
            if let signal = request["signal"]?.integer {
                signaller.send(Int32(clamping: signal))
                connection.send(.object(("done", .bool(true))))
            } else if request["wait"] != nil {
                let isEnded = state.withLock { state in
                    if !state.isEnded { state.waiting.append(connection) }
                    return state.isEnded
                }
                if isEnded { connection.close() }
            } else if request["files"] != nil {
                let root = try Directory(opening: FilePath("/proc/\(process)/root"))
                connection.send(.object(("done", .bool(true))), descriptors: [root.descriptor.number])
            } else if let exec = request["exec"].flatMap(ExecRequest.init(json:)) {
                try run(exec, request, connection)
            }
        } catch {
            connection.send(ControlFailure(error).json)
        }
    }

    private func run(_ request: ExecRequest, _ message: JSON, _ connection: ControlConnection) throws {
        let streams = try (0..<(request.isDetached ? 0 : 3)).map { _ in
            SharedDescriptor(try connection.receiveDescriptor())
        }
        var limit = timeval(tv_sec: 0, tv_usec: 0)
        _ = unsafe setsockopt(
            connection.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var command = JoinedCommand(container: spec, process: process, request: request)
        command.size = TerminalSize(json: message["size"])
        let status = try command.run(streams) { signaller, terminal in
            connection.send(.object(("began", .bool(true))))
            guard !request.isDetached else { return }
            DispatchQueue(label: "container.exec").async {
                // The end of whoever asked is the end of the command.
                while let message = connection.receive() {
                    if let signal = message["signal"]?.integer { signaller.send(Int32(clamping: signal)) }
                    if let size = TerminalSize(json: message["size"]) {
                        terminal?.resize(columns: size.columns, rows: size.rows)
                    }
                }
                signaller.kill()
            }
        }
        connection.send(.object(("status", .integer(status.shellCode))))
        connection.close()
    }
}

/// The failure of a request, as it travels to whoever made it.
struct ControlFailure {
    let message: String
    let hint: String?
    /// The exit status that a shell has for it.
    let code: Int32

    init(_ error: any Error) {
        let failure = error as? any AnyFailure
        message = failure?.message ?? "\(error)"
        hint = failure?.hint
        code =
            switch CommandFailure(error) {
            case .notFound: 127
            case .notExecutable: 126
            case nil: 125
            }
    }

    /// `nil` for an answer that is none.
    init?(json: JSON) {
        guard let message = json["error"]?.string else { return nil }
        self.message = message
        hint = json["hint"]?.string
        code = Int32(clamping: json["code"]?.integer ?? 125)
    }

    var json: JSON {
        .object(("error", .string(message)), ("hint", hint.map(JSON.string)), ("code", .integer(code)))
    }
}

extension TerminalSize {
    init?(json: JSON?) {
        guard let numbers = json?.array?.compactMap(\.integer), numbers.count == 2,
            let columns = UInt16(exactly: numbers[0]), let rows = UInt16(exactly: numbers[1])
        else { return nil }
        self.init(columns: columns, rows: rows)
    }

    var json: JSON { .array([.integer(columns), .integer(rows)]) }
}
