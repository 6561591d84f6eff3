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
package struct ImageViewDriver: Sendable {
    /// The image without its files, which is shown while ``load`` reads them; `nil` when they are read already.
    let outline: ViewedImage?
    let load: @Sendable () throws -> ViewedImage
    let bindings: KeyBindings
    let environment: @Sendable (String) -> String?

    /// Opens the view of `outline` at once, and goes on with what `load` makes.
    package init(
        outline: ViewedImage, bindings: KeyBindings, environment: @escaping @Sendable (String) -> String?,
        load: @escaping @Sendable () throws -> ViewedImage
    ) {
        self.outline = outline
        self.load = load
        self.bindings = bindings
        self.environment = environment
    }

    /// Opens the view of an image that is read.
    package init(subject: ViewedImage, bindings: KeyBindings, environment: @escaping @Sendable (String) -> String?) {
        outline = nil
        load = { subject }
        self.bindings = bindings
        self.environment = environment
    }

    /// Whether a view can be shown: with both a terminal to type on and one to draw on.
    package static func isPossible(environment: (String) -> String?) -> Bool {
        isatty(STDIN_FILENO) == 1 && OutputTerminal.standardOutput.canMoveCursor(environment: environment)
    }

    /// Shows the view until the user leaves it. Cancellation ends it, with the terminal as it was before.
    package func run() async throws {
        let wake = WakePipe(try Pipe())
        let resize = DispatchSource.makeSignalSource(signal: SIGWINCH, queue: .global())
        resize.setEventHandler { wake.write() }
        resize.resume()
        defer { resize.cancel() }
        let isCancelled = CancellationFlag()
        let loaded = LoadedImage()
        // Not awaited: who leaves the view does not wait for files that are not looked at.
        Task { [load] in
            do { loaded.set(.success(try await offload(load))) } catch { loaded.set(.failure(error)) }
            wake.write()
        }
        try await withTaskCancellationHandler {
            try await offload { try show(wake, isCancelled, loaded) }
        } onCancel: {
            isCancelled.set()
            wake.write()
        }
        try Task.checkCancellation()
    }

    private func show(_ wake: WakePipe, _ isCancelled: CancellationFlag, _ loaded: LoadedImage) throws {
        guard var screen = TerminalScreen(theme: TerminalTheme(environment: environment)) else {
            throw InspectorError(.wrongKind, "the standard input is not a terminal")
        }
        var input = TerminalInput()
        guard let (subject, early) = try open(&screen, &input, wake, isCancelled, loaded) else { return }
        var view = ImageView(subject, size: screen.size, bindings: bindings)
        var events = early
        while true {
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
            screen.draw(view.screen)
            switch wait(wake, for: input.isIncomplete ? Self.escapeDelay : -1) {
            case .input:
                guard let bytes = Self.read() else { return }
                events = input.decode(bytes)
            case .silence: events = input.finish()
            case .woken:
                if isCancelled.isSet { return }
                events = [screen.resized()]
            }
        }
    }

    /// Shows the outline until the image is loaded; returns it with the events up to then, which count for the whole view.
    /// `nil` when the user leaves before.
    private func open(
        _ screen: inout TerminalScreen, _ input: inout TerminalInput, _ wake: WakePipe,
        _ isCancelled: CancellationFlag, _ loaded: LoadedImage
    ) throws -> (ViewedImage, [TerminalEvent])? {
        var early: [TerminalEvent] = []
        var view: ImageView?
        while true {
            if isCancelled.isSet { return nil }
            if let image = try loaded.get() { return (image, early) }
            // Images that are read within this time show no other screen before.
            switch wait(wake, for: view == nil || input.isIncomplete ? Self.escapeDelay : -1) {
            case .input:
                guard let bytes = Self.read() else { return nil }
                early += input.decode(bytes)
            case .silence:
                early += input.finish()
                if view == nil { view = outline.map { ImageView($0, size: screen.size, bindings: bindings) } }
            case .woken: if view != nil { _ = view?.handle(screen.resized()) }
            }
            if isLeaving(early) { return nil }
            if let view { screen.draw(view.screen) }
        }
    }

    /// Whether the user leaves the view: by the key for it before any other, or by ctrl+c.
    private func isLeaving(_ events: [TerminalEvent]) -> Bool {
        if case .key(let key)? = events.first, bindings.action(for: key, in: [.everywhere]) == .back { return true }
        return events.contains { event in
            if case .key(.control("c")) = event { true } else { false }
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
        let subject = view.subject
        do {
            switch effect {
            case .load(let place, let layer):
                let bytes = try subject.source(of: layer).beginning(of: place, limit: ContentPage.limit)
                view.show(place, layer: layer, bytes: bytes)
            case .copyOut(let node, let layer):
                let summary = try copyOut(node, layer, subject)
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

    private func copyOut(_ node: Int, _ layer: Int, _ subject: ViewedImage) throws -> FileExtraction.Summary {
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
    private static let escapeDelay: CInt = 25

    /// Waits for a key or a wake, at most so many milliseconds; -1 is no limit.
    private func wait(_ wake: WakePipe, for delay: CInt) -> Wait {
        while true {
            var files = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0),
            ]
            let count = unsafe poll(&files, 2, delay)
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

/// The outcome of loading an image, which another thread sets once.
private final class LoadedImage: Sendable {
    private let result = Mutex<Result<ViewedImage, any Error>?>(nil)

    func set(_ result: Result<ViewedImage, any Error>) { self.result.withLock { $0 = result } }

    /// The image, or `nil` until it is there. Throws what loading it threw.
    func get() throws -> ViewedImage? { try result.withLock(\.self)?.get() }
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
