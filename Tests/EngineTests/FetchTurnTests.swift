import Linux
import OCI
import Store
import SystemPackage
import Testing

@testable import Images

/// The turns of processes that want the same blob. A lock that is taken by its file stands for another process.
@Suite(.timeLimit(.minutes(10))) struct FetchTurnTests {
    private let digest = Digest(of: "blob")

    private func withStore(_ body: (StoreRoot, FilePath) async throws -> Void) async throws {
        let scratch = try Scratch()
        let store = try StoreRoot(at: scratch.path.appending("store"))
        try await body(store, store.path.appending("tmp").appending("fetch-\(digest.hex.prefix(2)).lock"))
        withExtendedLifetime(scratch) {}
    }

    @Test("The lock of a process that makes no progress is not waited for")
    func goesOnByItself() async throws {
        try await withStore { store, path in
            let other = try FileLock(path, .exclusive)
            let turn = try await FetchTurn.take(digest, in: store, patience: .milliseconds(300))
            #expect(!turn.isExclusive)
            _ = consume other
        }
    }

    @Test("The lock of a process that makes progress is waited for")
    func waits() async throws {
        try await withStore { store, path in
            let holder = Task {
                guard let other = try FileLock.attempt(path, .exclusive) else { return }
                // Longer than the patience, in steps that are far shorter even on a busy machine.
                for _ in 0..<70 {
                    try await Task.sleep(for: .milliseconds(100))
                    try other.touch()
                }
            }
            try await Task.sleep(for: .milliseconds(50))
            let turn = try await FetchTurn.take(digest, in: store, patience: .seconds(5))
            #expect(turn.isExclusive)
            try await holder.value
        }
    }

    @Test("Bytes that arrive are progress that other processes see")
    func notesProgress() async throws {
        try await withStore { store, path in
            let turn = try await FetchTurn.take(digest, in: store)
            let before = try FileStatus(of: path).modified
            try await Task.sleep(for: .milliseconds(1100))
            turn.note(100)
            #expect(try FileStatus(of: path).modified == before, "a drip is no progress")
            turn.note(100 << 10)
            #expect(try FileStatus(of: path).modified != before)
        }
    }
}
