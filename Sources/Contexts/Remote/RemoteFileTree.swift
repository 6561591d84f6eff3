import Diagnostics
package import Graph
import Layers
package import Linux
import OCI
package import Store
package import Trees

/// A file that was fetched, as a tree that holds nothing else.
package struct RemoteFileTree: FileTree {
    package let source: HTTPSource
    package let file: RemoteFile
    package let store: StoreRoot

    package init(source: HTTPSource, file: RemoteFile, store: StoreRoot) {
        self.source = source
        self.file = file
        self.store = store
    }

    private var name: PathBytes { PathBytes(source.fileName) }

    private var node: FileNode {
        // A server that does not say when the file changed has it from the epoch, as in BuildKit.
        let entry = LayerEntry(
            path: name, kind: .regular, permissions: source.permissions, owner: source.owner, group: source.group,
            size: file.size, modified: FileTime(seconds: file.modified ?? 0))
        return FileNode(path: name, entry: entry, linkIdentity: nil, origin: .layer(0, name))
    }

    package func node(at path: PathBytes) -> FileNode? {
        guard !path.isEmpty else {
            return FileNode(path: path, entry: .directory(at: path), linkIdentity: nil, origin: .layer(0, path))
        }
        return path == name ? node : nil
    }

    package func contents(of directory: FileNode) -> DirectoryContents { DirectoryContents([node]) }

    package func open(_ file: FileNode) throws -> OwnedDescriptor {
        guard let content = try store.content.open(self.file.digest) else {
            throw ContextsError(
                .corrupt, "the store has lost the file '\(source.fileName)' that was fetched", hint: "Build again.")
        }
        return content
    }

    package func contentDigest(of file: FileNode) -> [UInt8] {
        let digits = Array(self.file.digest.hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0..<$0 + 2]), radix: 16) }
    }
}
