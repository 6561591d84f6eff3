import Diagnostics
import Graph
import Layers
import Linux
import OCI
import Store
import Trees

/// A file that was fetched, as a tree that holds nothing else.
struct RemoteFileTree: FileTree {
    let source: HTTPSource
    let file: RemoteFile
    let store: StoreRoot

    private var name: PathBytes { PathBytes(source.fileName) }

    private var node: FileNode {
        // A server that does not say when the file changed has it from the epoch, as in BuildKit.
        let entry = LayerEntry(
            path: name, kind: .regular, permissions: source.permissions, owner: source.owner, group: source.group,
            size: file.size, modified: FileTime(seconds: file.modified ?? 0))
        return FileNode(path: name, entry: entry, linkIdentity: nil, origin: .layer(0, name))
    }

    func node(at path: PathBytes) -> FileNode? {
        guard !path.isEmpty else {
            return FileNode(path: path, entry: .directory(at: path), linkIdentity: nil, origin: .layer(0, path))
        }
        return path == name ? node : nil
    }

    func children(of directory: FileNode) -> [FileNode] { [node] }

    func open(_ file: FileNode) throws -> OwnedDescriptor {
        guard let content = try store.content.open(self.file.digest) else {
            throw EngineError(
                .corrupt, "the store has lost the file '\(source.fileName)' that was fetched", hint: "Build again.")
        }
        return content
    }

    func contentDigest(of file: FileNode) -> [UInt8] {
        let digits = Array(self.file.digest.hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0..<$0 + 2]), radix: 16) }
    }
}
