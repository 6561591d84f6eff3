import Diagnostics
import Layers
package import Linux
import OCI
package import SystemPackage

/// The files of a stage or an image, read from the directories that its layers were unpacked to.
///
/// Names and metadata come from the layers' file lists, so owners are right even where the disk cannot hold them.
package struct LayerFileTree: FileTree {
    package let tree: LayerTree
    /// For each layer, bottom first, the directory with its files.
    package let directories: [FilePath]

    package init(tree: LayerTree, directories: [FilePath]) {
        self.tree = tree
        self.directories = directories
    }

    package func node(at path: PathBytes) throws -> FileNode? { tree.node(at: path) }

    package func contents(of directory: FileNode) throws -> DirectoryContents {
        DirectoryContents(tree.children(of: directory.path))
    }

    package func open(_ file: FileNode) throws -> OwnedDescriptor {
        guard case .layer(let index, let path) = file.origin, directories.indices.contains(index) else {
            throw TreesError(.corrupt, "no layer holds the file '/\(file.path)'")
        }
        let directory = try Directory(opening: directories[index])
        return try directory.open(path, resolving: .noSymlinks)
    }

    package func contentDigest(of file: FileNode) throws -> [UInt8] {
        try open(file).contentDigest(of: file.entry.size)
    }
}
