import Linux
import Store
import SystemPackage
import Testing

@testable import Execution

/// Commands in a chroot one at a time, where the kernel cannot keep them apart.
@Suite struct ChrootTurnTests {
    @Test(.timeLimit(.minutes(10))) func isHeldByOneCommandAtATime() async throws {
        let scratch = try Scratch()
        let store = try StoreRoot(at: scratch.path.appending("store"))
        let path = store.path.appending("chroot.lock")
        func isFree() throws -> Bool {
            guard let lock = try FileLock.attempt(path, .exclusive) else { return false }
            _ = consume lock
            return true
        }
        func take() async throws {
            let turn = try await ChrootTurn.wait(in: store)
            #expect(try !isFree())
            withExtendedLifetime(turn) {}
        }
        try await take()
        // Waits: a process that another test is starting has a copy of the lock's file until its program begins.
        let lock = try FileLock(path, .exclusive)
        _ = consume lock
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
