import Diagnostics
import Graph
import Linux
import OCI
import Requests
import Sandbox
import Store
import SystemPackage
import Trees

/// Parts of the context that have to be copied before they can be mounted, each once in a build.
actor ContextCopyPool {
    private let store: StoreRoot
    private var tasks: [Source: Task<TemporaryDirectory, any Error>] = [:]

    /// A file of one of the contexts.
    private struct Source: Hashable {
        let context: FilePath
        let path: PathBytes
    }

    init(_ store: StoreRoot) { self.store = store }

    /// A directory that holds what `node` holds, or `node` itself under the name `file`.
    func copy(of node: FileNode, in tree: ContextTree) async throws -> TemporaryDirectory {
        let source = Source(context: tree.path, path: node.path)
        if let task = tasks[source] { return try await task.value }
        let task = Task { [store] in
            try await offload {
                let directory = try store.temporaryDirectory()
                var copy = try TreeCopy(of: tree, into: directory.path)
                if node.isDirectory { try copy.fill(from: node) } else { try copy.copy(node, to: "file") }
                return directory
            }
        }
        tasks[source] = task
        return try await task.value
    }
}
