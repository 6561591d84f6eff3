import Comparison
import Console
import Diagnostics
import Dispatch
import Glibc
import Inspector
import Linux
import Synchronization
import SystemPackage

/// Runs the view of an image on the terminal.
struct ImageViewDriver: Sendable {
    let subject: ViewedImage
    let bindings: KeyBindings
    let environment: @Sendable (String) -> String?

    /// Whether a view can be shown: with both a terminal to type on and one to draw on.
    static func isPossible(environment: (String) -> String?) -> Bool {
        isatty(STDIN_FILENO) == 1 && OutputTerminal.standardOutput.canMoveCursor(environment: environment)
    }

    /// Shows the view until the user leaves it. Cancellation ends it, with the terminal as it was before.
    func run() async throws {
        let wake = WakePipe(try Pipe())
        let resize = DispatchSource.makeSignalSource(signal: SIGWINCH, queue: .global())
        resize.setEventHandler { wake.write() }
        resize.resume()
        defer { resize.cancel() }
        let isCancelled = CancellationFlag()
        try await withTaskCancellationHandler {
            try await offload { try show(wake, isCancelled) }
        } onCancel: {
            isCancelled.set()
            wake.write()
        }
        try Task.checkCancellation()
    }

    private func show(_ wake: WakePipe, _ isCancelled: CancellationFlag) throws {
        guard var screen = TerminalScreen(theme: TerminalTheme(environment: environment)) else {
            throw InspectorError(.wrongKind, "the standard input is not a terminal")
        }
        var view = ImageView(subject, size: screen.size, bindings: bindings)
        var input = TerminalInput()
        while true {
            screen.draw(view.screen)
            var events: [TerminalEvent] = []
            switch wait(wake, forMore: input.isIncomplete) {
            case .input:
                guard let bytes = Self.read() else { return }
                events = input.decode(bytes)
            case .silence: events = input.finish()
            case .woken:
                if isCancelled.isSet { return }
                events = [screen.resized()]
            }
            for event in events {
                guard let effect = view.handle(event) else { continue }
                if effect == .quit { return }
                if effect == .suspend {
                    screen.leave()
                    Self.stop()
                    screen.enter()
                    _ = view.handle(screen.resized())
                } else {
                    perform(effect, &view)
                }
            }
        }
    }

    /// Stops the job that this process belongs to, as the terminal does for ctrl+z; returns when it goes on.
    ///
    /// This process gets the signal by itself, on this thread: one that another thread takes would stop this one later,
    /// when the terminal is taken again already.
    private static func stop() {
        let former = signal(SIGTSTP, SIG_IGN)
        kill(0, SIGTSTP)
        signal(SIGTSTP, former)
        var (stop, mask) = (sigset_t(), sigset_t())
        _ = unsafe sigemptyset(&stop)
        _ = unsafe sigaddset(&stop, SIGTSTP)
        raise(SIGTSTP)
        _ = unsafe pthread_sigmask(SIG_UNBLOCK, &stop, &mask)
        _ = unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }

    private func perform(_ effect: ImageView.Effect, _ view: inout ImageView) {
        do {
            switch effect {
            case .load(let place, let layer):
                let bytes = try subject.source(of: layer).beginning(of: place, limit: ContentPage.limit)
                view.show(place, layer: layer, bytes: bytes)
            case .copyOut(let node, let layer):
                let summary = try copyOut(node, layer)
                let name = VisibleText.escaped(subject.tree.name(of: node))
                view.show(message: "copied \(summary.files) files to ./\(name)")
            case .listPackages(let layer):
                view.show(packages: try PackageDifference.changes(of: layer, in: subject.image))
            case .quit, .suspend: break
            }
        } catch {
            view.show(message: (error as? any AnyFailure)?.message ?? "\(error)", isFailure: true)
        }
    }

    private func copyOut(_ node: Int, _ layer: Int) throws -> FileExtraction.Summary {
        guard let pair = subject.pair else {
            let files = ScopedFiles(subject.tree, .after(layer))
            return try FileExtraction.extract(node, of: files, from: subject.image, into: ".")
        }
        let image = pair.image(of: layer)
        let files = ScopedFiles(image.tree, .after(image.tree.layerCount - 1))
        let own = try files.node(at: subject.tree.path(of: node), followsLast: false)
        return try FileExtraction.extract(own, of: files, from: image, into: ".")
    }

    // MARK: Waiting

    private enum Wait { case input, woken, silence }

    /// An ESC that nothing follows within this time, in milliseconds, is a key.
    private static let escapeDelay: CInt = 50

    private func wait(_ wake: WakePipe, forMore: Bool) -> Wait {
        while true {
            var files = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0),
            ]
            let count = unsafe poll(&files, 2, forMore ? Self.escapeDelay : -1)
            if count == 0 { return .silence }
            guard count > 0 else {
                if errno == EINTR { continue }
                return .input
            }
            if files[1].revents != 0 {
                wake.drain()
                return .woken
            }
            return .input
        }
    }

    /// The bytes at hand; `nil` when the terminal is gone.
    private static func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe Glibc.read(STDIN_FILENO, &buffer, buffer.count)
            if count > 0 { return Array(buffer.prefix(count)) }
            if count == 0 || errno != EINTR { return nil }
        }
    }
}

/// A flag that is set once, from another thread.
private final class CancellationFlag: Sendable {
    private let state = Mutex(false)

    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}

/// A pipe that wakes a thread which waits for the terminal.
private final class WakePipe: Sendable {
    private let pipe: Pipe

    init(_ pipe: consuming Pipe) { self.pipe = pipe }

    var reading: CInt { pipe.reading.number }

    /// A pipe that is full wakes anyway.
    func write() {
        var byte: UInt8 = 0
        _ = unsafe Glibc.write(pipe.writing.number, &byte, 1)
    }

    func drain() {
        var buffer = [UInt8](repeating: 0, count: 64)
        _ = unsafe Glibc.read(pipe.reading.number, &buffer, buffer.count)
    }
}
