import Diagnostics
import Layers
import Linux
import OCI
import Store
import SystemPackage

/// The files of a stage or an image, read from the directories that its layers were unpacked to.
///
/// Names and metadata come from the layers' file lists, so owners are right even where the disk cannot hold them.
struct LayerFileTree: FileTree {
    let tree: LayerTree
    /// For each layer, bottom first, the directory with its files.
    let directories: [FilePath]

    func node(at path: PathBytes) throws -> FileNode? { tree.node(at: path) }

    func children(of directory: FileNode) throws -> [FileNode] { tree.children(of: directory.path) }

    func open(_ file: FileNode) throws -> OwnedDescriptor {
        guard case .layer(let index, let path) = file.origin, directories.indices.contains(index) else {
            throw EngineError(.corrupt, "no layer holds the file '/\(file.path)'")
        }
        let directory = try Directory(opening: directories[index])
        return try directory.open(path, resolving: .noSymlinks)
    }

    func contentDigest(of file: FileNode) throws -> [UInt8] { try open(file).contentDigest() }
}
