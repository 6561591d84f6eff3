import Asynchrony
import Diagnostics
import Linux
import OCI
import Registry
import Store
import Synchronization
import SystemPackage

/// The turn of one process among those that want the same blob, so that one fetches it and the others find it.
///
/// Held by a lock, whose file is touched as bytes arrive. A process that waits goes on without the lock when that has
/// not happened for a while: a registry that sends next to nothing must not hold up those that can fetch the blob from a
/// better one.
final class FetchTurn: Sendable {
    private struct Progress {
        var count: Int64 = 0
        var time = ContinuousClock.now
    }

    private let lock: FileLock?
    private let progress = Mutex(Progress())

    /// How long another process may fetch without progress.
    static let patience = Duration.seconds(60)
    /// The bytes that count as progress, and the shortest time between two notes of it.
    private static let step: Int64 = 60 << 10
    private static let pause = Duration.seconds(1)

    private init(_ lock: consuming FileLock?) { self.lock = lock }

    /// Whether this process holds the lock.
    var isExclusive: Bool {
        switch lock {
        case .some: true
        case .none: false
        }
    }

    /// Waits for the lock. Blobs whose digests begin alike share one, so that no more than 256 files are left.
    static func take(
        _ digest: Digest, in store: StoreRoot, patience: Duration = patience
    ) async throws -> FetchTurn {
        let path = store.path.appending("tmp").appending("fetch-\(digest.hex.prefix(2)).lock")
        let notice = NetworkNotice.whenSlow("waiting for another process that fetches \(digest.short)")
        defer { notice?.cancel() }
        var last = try Self.modified(path)
        var time = ContinuousClock.now
        return try await LockWaiter.wait {
            if let lock = try FileLock.attempt(path, .exclusive) {
                try lock.touch()
                return FetchTurn(lock)
            }
            let current = try Self.modified(path)
            if current != last {
                (last, time) = (current, .now)
            } else if time.duration(to: .now) >= patience {
                NetworkNotice.report("another process gets nowhere with \(digest.short); fetching it here as well")
                return FetchTurn(nil)
            }
            return nil
        }
    }

    /// The modification time of the lock's file; `nil` if it is not there.
    private static func modified(_ path: FilePath) throws -> FileTime? {
        do { return try FileStatus(of: path).modified } catch let error as LinuxError where error.code == .notFound {
            return nil
        }
    }

    /// Notes that so many bytes of the blob are here, for the processes that wait.
    func note(_ count: Int64) {
        let isDue = progress.withLock { progress in
            let now = ContinuousClock.now
            guard count - progress.count >= Self.step, progress.time.duration(to: now) >= Self.pause else {
                return false
            }
            progress = Progress(count: count, time: now)
            return true
        }
        // Without the note others wait no longer than they would have.
        if isDue { try? lock?.touch() }
    }
}
