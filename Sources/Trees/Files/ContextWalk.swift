import Dispatch
import Glibc
package import Linux
import Synchronization

/// A context for one walk through all of it, depth first: other threads list the directories that the walk will come
/// to.
///
/// For one thread at a time, and for one walk: what was listed may be old in the next.
package final class ContextWalk: FileTree {
    private let tree: ContextTree
    private let ahead: ListingsAhead

    package init(_ tree: ContextTree) {
        self.tree = tree
        ahead = ListingsAhead(tree)
    }

    deinit { ahead.stop() }

    package func contents(of directory: FileNode) throws -> DirectoryContents {
        try ahead.contents(of: directory).changed { [ahead] files in
            ahead.announce(files.filter(\.isDirectory))
            return files
        }
    }

    package func node(at path: PathBytes) throws -> FileNode? { try tree.node(at: path) }

    package func open(_ file: FileNode) throws -> OwnedDescriptor { try tree.open(file) }

    package func contentDigest(of file: FileNode) throws -> [UInt8] { try tree.contentDigest(of: file) }
}

/// The listings of a walk, shared by the walk and its workers.
private final class ListingsAhead: Sendable {
    /// The most files that are listed and not asked for yet.
    private static let fileLimit = 10_000
    private static let workerLimit = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)) - 1)

    private enum Listing {
        case waiting
        /// The semaphore is signalled when it is there.
        case underWay(DispatchSemaphore)
        case done(Result<DirectoryContents, any Error>)
    }

    private struct State {
        /// The next one last. May name what the walk has listed itself meanwhile.
        var stack: [FileNode] = []
        var listings: [PathBytes: Listing] = [:]
        var fileCount = 0
        var workers = 0

        /// How many workers to start: as many as there is something to do for.
        mutating func engage() -> Int {
            guard fileCount < fileLimit else { return 0 }
            let more = max(0, min(workerLimit - workers, stack.count))
            workers += more
            return more
        }
    }

    private let tree: ContextTree
    private let state = Mutex(State())

    init(_ tree: ContextTree) { self.tree = tree }

    /// Says that the walk will go through these directories next, in this order.
    func announce(_ directories: [FileNode]) {
        guard !directories.isEmpty else { return }
        start(
            state.withLock { state in
                for directory in directories.reversed() {
                    state.listings[directory.path] = .waiting
                    state.stack.append(directory)
                }
                return state.engage()
            })
    }

    /// The files of a directory, listed now unless another thread has begun to.
    func contents(of directory: FileNode) throws -> DirectoryContents {
        let (listing, more) = state.withLock { state -> (Listing?, Int) in
            let listing = state.listings[directory.path]
            if case .underWay = listing { return (listing, 0) }
            state.listings[directory.path] = nil
            guard case .done(let result) = listing else { return (nil, 0) }
            state.fileCount -= result.count
            return (listing, state.engage())
        }
        start(more)
        switch listing {
        case .done(let result): return try result.get()
        case .underWay(let semaphore):
            semaphore.wait()
            return try contents(of: directory)
        case .waiting, nil: return try tree.contents(of: directory)
        }
    }

    private static let queue = DispatchQueue(label: "context-walk", attributes: .concurrent)

    func stop() { state.withLock { $0.stack = [] } }

    private func start(_ count: Int) {
        for _ in 0..<count { Self.queue.async { [self] in work() } }
    }

    private func work() {
        while let (directory, semaphore) = take() {
            let result = Result {
                var contents = try tree.contents(of: directory)
                try contents.prepare()
                return contents
            }
            state.withLock { state in
                state.listings[directory.path] = .done(result)
                state.fileCount += result.count
            }
            semaphore.signal()
        }
    }

    /// The next directory that is worth listing; `nil` ends the worker.
    private func take() -> (FileNode, DispatchSemaphore)? {
        state.withLock { state in
            while state.fileCount < Self.fileLimit, let directory = state.stack.popLast() {
                guard case .waiting = state.listings[directory.path] else { continue }
                let semaphore = DispatchSemaphore(value: 0)
                state.listings[directory.path] = .underWay(semaphore)
                return (directory, semaphore)
            }
            state.workers -= 1
            return nil
        }
    }
}

extension Result<DirectoryContents, any Error> {
    fileprivate var count: Int {
        if case .success(let contents) = self { contents.readyCount } else { 0 }
    }
}
