package import Console
package import Images
import Linux
import Synchronization
package import Transports

/// Shows a transfer of layers: takes its events, from any thread, until ``finish()``.
package final class TransferProgress: Sendable {
    private struct State {
        var display: TransferDisplay?
        var timer: Task<Void, Never>?
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Duration
    private let isRedrawn: Bool
    private let terminal: OutputTerminal

    /// Shows a transfer that begins now. `terminal` gets the ends of layers and, where it is a terminal, their lines.
    package init(_ mode: ProgressMode, _ words: TransferWords, to terminal: OutputTerminal) {
        let origin = ContinuousClock.now
        clock = { ContinuousClock.now - origin }
        self.terminal = terminal
        let form: TransferDisplay.Form? =
            switch mode.resolved(isTerminal: terminal.canMoveCursor(environment: OutputTerminal.environment)) {
            case .auto, .plain: .lines
            case .tty: .window
            case .rawjson: .documents
            case .quiet, .silent: nil
            }
        isRedrawn = form == .window
        state = Mutex(State(display: form.map { TransferDisplay($0, words) { terminal.size } }))
    }

    package func show(_ event: TransferEvent) {
        state.withLock { state in
            guard state.display != nil else { return }
            if state.timer == nil, isRedrawn { state.timer = ticking() }
            write(state.display?.receive(event, at: clock()))
        }
    }

    /// Ends the display; events that come later are ignored.
    package func finish() {
        state.withLock { state in
            write(state.display?.finish(at: clock()))
            state.display = nil
            state.timer?.cancel()
            state.timer = nil
        }
    }

    private func tick() {
        state.withLock { state in write(state.display?.tick(at: clock())) }
    }

    /// Rates and times change while nothing happens. Writing may block, so it is kept off the threads of the tasks.
    private func ticking() -> Task<Void, Never> {
        Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(500))
                guard !Task.isCancelled, let self else { return }
                try? await offload { self.tick() }
            }
        }
    }

    private func write(_ output: TransferOutput?) {
        guard let output else { return }
        if !output.notice.isEmpty { OutputTerminal.standardError.write(output.notice) }
        guard !output.result.isEmpty else { return }
        if terminal.descriptor == OutputTerminal.standardOutput.descriptor {
            CommandResult.write(Array(output.result.utf8))
        } else {
            terminal.write(output.result)
        }
    }
}

extension ImageTransfer {
    /// Runs `body`, which may use registries, with a report for what it transfers; closes the connections to them.
    package func showing<Value: Sendable>(
        _ words: TransferWords, _ mode: ProgressMode = .auto, to terminal: OutputTerminal = .standardError,
        _ body: (@escaping @Sendable (TransferEvent) -> Void) async throws -> Value
    ) async throws -> Value {
        let progress = TransferProgress(mode, words, to: terminal)
        defer { progress.finish() }
        return try await closingRegistry { try await body { progress.show($0) } }
    }
}
