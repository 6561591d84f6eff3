import Synchronization
import Testing

@testable import Asynchrony

/// A gate that work waits at until it is opened or cancelled.
private final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    let entered: AsyncStream<Void>
    private let enter: AsyncStream<Void>.Continuation
    private let counts = Mutex((begun: 0, cancelled: 0))

    init() {
        (stream, continuation) = AsyncStream.makeStream()
        (entered, enter) = AsyncStream.makeStream()
    }

    var begun: Int { counts.withLock { $0.begun } }
    var cancelled: Int { counts.withLock { $0.cancelled } }

    func open() { continuation.finish() }

    func pass() async throws -> Int {
        let number = counts.withLock { counts in
            counts.begun += 1
            return counts.begun
        }
        enter.yield()
        for await _ in stream {}
        if Task.isCancelled {
            counts.withLock { $0.cancelled += 1 }
            throw CancellationError()
        }
        return number
    }

    func waitUntilEntered() async {
        var iterator = entered.makeAsyncIterator()
        _ = await iterator.next()
    }
}

/// Counts what runs at once.
private final class Counter: Sendable {
    private let state = Mutex((running: 0, most: 0))

    var running: Int { state.withLock { $0.running } }
    var most: Int { state.withLock { $0.most } }

    func enter() {
        state.withLock { state in
            state.running += 1
            state.most = max(state.most, state.running)
        }
    }

    func leave() { state.withLock { $0.running -= 1 } }
}

@Suite("Shared tasks") struct SharedTasksTests {
    private func wait(_ tasks: SharedTasks<String, Int>, forWaiters count: Int) async {
        while tasks.waiterCount(for: "a") < count { await Task.yield() }
    }

    @Test("Work that several tasks wait for is done once")
    func isDoneOnce() async throws {
        let (tasks, gate) = (SharedTasks<String, Int>(), Gate())
        let waiting = (0..<3).map { _ in Task { try await tasks.value(for: "a") { try await gate.pass() } } }
        await wait(tasks, forWaiters: 3)
        gate.open()
        for task in waiting { #expect(try await task.value == 1) }
        #expect(gate.begun == 1)
    }

    @Test("A waiter that is cancelled leaves the work to the others")
    func goesOnForOthers() async throws {
        let (tasks, gate) = (SharedTasks<String, Int>(), Gate())
        let first = Task { try await tasks.value(for: "a") { try await gate.pass() } }
        await wait(tasks, forWaiters: 1)
        let second = Task { try await tasks.value(for: "a") { try await gate.pass() } }
        await wait(tasks, forWaiters: 2)
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        gate.open()
        #expect(try await second.value == 1)
        #expect(gate.begun == 1 && gate.cancelled == 0)
    }

    @Test("The last waiter that is cancelled cancels the work and waits for its end")
    func endsWithTheLastWaiter() async throws {
        let (tasks, gate) = (SharedTasks<String, Int>(), Gate())
        let task = Task { try await tasks.value(for: "a") { try await gate.pass() } }
        await gate.waitUntilEntered()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(gate.cancelled == 1)
    }

    @Test("Work that waits for other work is cancelled with it")
    func nestedWork() async throws {
        let (tasks, gate) = (SharedTasks<String, Int>(), Gate())
        let task = Task {
            try await tasks.value(for: "a") { try await tasks.value(for: "b") { try await gate.pass() } }
        }
        await gate.waitUntilEntered()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(gate.cancelled == 1)
    }

    @Test("Work begins again for those that came when it was cancelled")
    func beginsAgain() async throws {
        let tasks = SharedTasks<String, Int>()
        let gates = [Gate(), Gate()]
        let first = Task { try await tasks.value(for: "a") { try await gates[0].pass() } }
        await gates[0].waitUntilEntered()
        first.cancel()
        let second = Task { try await tasks.value(for: "a") { try await gates[1].pass() } }
        gates[1].open()
        await #expect(throws: CancellationError.self) { try await first.value }
        #expect(try await second.value == 1)
    }

    @Test("A failure reaches all that wait, and is not kept")
    func failures() async throws {
        struct Failure: Error {}
        let tasks = SharedTasks<Int, Int>()
        await #expect(throws: Failure.self) { try await tasks.value(for: 1) { throw Failure() } }
        #expect(try await tasks.value(for: 1) { 5 } == 5)
    }
}

@Suite("Limits and locks") struct WaitingTests {
    @Test("No more than the limit run at once")
    func limit() async {
        let semaphore = AsyncSemaphore(limit: 3)
        let counter = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    await semaphore.withPlace {
                        counter.enter()
                        await Task.yield()
                        counter.leave()
                    }
                }
            }
        }
        #expect(counter.most <= 3 && counter.running == 0)
    }

    @Test("A lock is waited for, and being busy is said once")
    func lock() async throws {
        var (attempts, notices) = (0, 0)
        let value = try await LockWaiter.wait(busy: { notices += 1 }) { () -> Int? in
            attempts += 1
            return attempts == 4 ? 7 : nil
        }
        #expect(value == 7 && attempts == 4 && notices == 1)
    }

    @Test("Waiting for a lock ends when the task is cancelled")
    func cancellation() async {
        let task = Task { try await LockWaiter.wait { () -> Int? in nil } }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
