import Linux
import Store
import Synchronization
import SystemPackage
import Testing

@testable import Engine

/// Commands in a chroot one at a time, where the kernel cannot keep them apart.
@Suite struct ChrootTurnTests {
    @Test func isHeldByOneCommandAtATime() async throws {
        let scratch = try Scratch()
        let store = try StoreRoot(at: scratch.path.appending("store"))
        let isFirstDone = Mutex(false)
        let first = Mutex<ChrootTurn?>(try await ChrootTurn.wait(in: store))
        try await withThrowingTaskGroup { group in
            group.addTask {
                _ = try await ChrootTurn.wait(in: store)
                #expect(isFirstDone.withLock { $0 })
            }
            await Task.yield()
            isFirstDone.withLock { $0 = true }
            first.withLock { $0 = nil }
            try await group.waitForAll()
        }
    }

    @Test func isCancelledWithItsBuild() async throws {
        let scratch = try Scratch()
        let store = try StoreRoot(at: scratch.path.appending("store"))
        let first = try await ChrootTurn.wait(in: store)
        let waiting = Task { try await ChrootTurn.wait(in: store) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        withExtendedLifetime(first) {}
    }
}
