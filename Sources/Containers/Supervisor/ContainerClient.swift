import CLinux
import Diagnostics
import Dispatch
import Execution
import Glibc
import Linux
import OCI
import Synchronization
import SystemPackage

/// Asks the supervisor of a container that runs to do something.
package struct ContainerClient: Sendable {
    private let container: Container

    package init(_ container: Container) { self.container = container }

    /// Sends a signal to the command.
    ///
    /// Throws ``ContainersError`` `.notRunning`.
    package func send(_ signal: Int32) throws {
        let connection = try ControlConnection(to: container)
        connection.send(.object(("signal", .integer(signal))))
        _ = connection.receive()
    }

    /// Waits for the end of the container, however it comes, and gives its exit code.
    package func wait() throws -> Int32 {
        guard container.isRunning else { return try endedCode() }
        // A supervisor that is about to end takes no requests any more.
        let connection = try? ControlConnection(to: container)
        connection?.send(.object(("wait", .bool(true))))
        let answer = connection?.receive()
        // The supervisor notes the end after it has told of it.
        if (try? FileStatus(of: container.alive)) != nil { _ = try? FileLock(container.alive, .shared) }
        if let code = answer?["status"]?.integer { return Int32(clamping: code) }
        return (try? container.reloaded())?.state.exitCode ?? 137
    }

    private func endedCode() throws -> Int32 { try container.reloaded().state.exitCode }

    /// Asks the command to end, and kills it when it has not after so many seconds.
    package func stop(signal: Int32? = nil, seconds: Int? = nil) async throws {
        guard container.isRunning else { return }
        do {
            try send(signal ?? container.record.stopSignal)
            let clock = ContinuousClock()
            let deadline = clock.now + .seconds(max(0, seconds ?? container.record.stopTimeout))
            while clock.now < deadline {
                guard (try? container.reloaded())?.isRunning == true else { return }
                try await Task.sleep(for: .milliseconds(20))
            }
            try send(SIGKILL)
        } catch let error as ContainersError where error.code == .notRunning {
            // Its end may not be noted yet.
        }
        _ = try await offload { try wait() }
    }

    /// The root directory of a container as its command sees it, volumes included.
    func files() throws -> Directory {
        let connection = try ControlConnection(to: container)
        connection.send(.object(("files", .bool(true))))
        let answer = connection.receive()
        if let failure = answer.flatMap(ControlFailure.init(json:)) {
            throw ContainersError(.badPath, failure.message, hint: failure.hint)
        }
        return Directory(try connection.receiveDescriptor())
    }

    /// How another command in the container ended.
    package enum ExecOutcome: Hashable, Sendable {
        case ended(Int32)
        /// No process waits for it.
        case began
        /// It could not be started: the reason, what to do, and the exit status of a shell for it.
        case failed(String, hint: String?, Int32)
    }

    /// Runs another command in the container with the standard streams of this process, to its end.
    ///
    /// `began` gets a way to send it signals.
    package func exec(
        _ request: ExecRequest, began: @escaping @Sendable (@escaping @Sendable (Int32) -> Void) -> Void = { _ in }
    ) throws -> ExecOutcome {
        let connection = try ControlConnection(to: container)
        let size = request.hasTerminal ? TerminalSize.ofOurs : nil
        let streams = request.isDetached ? [] : [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
        connection.send(.object(("exec", request.json), ("size", size?.json)), descriptors: streams)
        let answer = connection.receive()
        if let failure = answer.flatMap(ControlFailure.init(json:)) {
            return .failed(failure.message, hint: failure.hint, failure.code)
        }
        guard answer?["began"] != nil else {
            throw ContainersError(.notRunning, "the container ended before the command could be started")
        }
        guard !request.isDetached else { return .began }
        began { connection.send(.object(("signal", .integer($0)))) }
        let raw = request.hasTerminal && request.isInteractive ? RawTerminal(STDIN_FILENO) : nil
        let window = request.hasTerminal ? SizeReports(to: connection) : nil
        let last = withExtendedLifetime(window) { connection.receive() }
        _ = consume raw
        if let failure = last.flatMap(ControlFailure.init(json:)) {
            return .failed(failure.message, hint: failure.hint, failure.code)
        }
        // The container was killed, and its supervisor with it.
        return .ended(Int32(clamping: last?["status"]?.integer ?? 137))
    }
}

/// Tells a supervisor the size of our window whenever that changes.
private final class SizeReports {
    private let source: any DispatchSourceSignal

    init(to connection: ControlConnection) {
        source = DispatchSource.makeSignalSource(signal: SIGWINCH, queue: .global())
        source.setEventHandler {
            if let size = TerminalSize.ofOurs { connection.send(.object(("size", size.json))) }
        }
        source.resume()
    }

    deinit { source.cancel() }
}
