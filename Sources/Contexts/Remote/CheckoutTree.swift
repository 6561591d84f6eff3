import Diagnostics
import DockerfileSyntax
package import Graph
import Layers
package import Linux
package import Store
package import SystemPackage
package import Trees

/// The files of a checkout as they arrive in an image: root's, of mode 0644 or 0755, whatever this process's mask, and
/// all of one time.
package struct CheckoutTree: FileTree {
    private let files: ContextTree
    private let time: FileTime

    /// Throws ``ContextsError`` `.git` when the subdirectory that `source` names is none, or is reached by a link.
    package init(_ checkout: FilePath, _ source: GitSource, time: FileTime, store: StoreRoot) throws {
        var path = checkout
        if !source.subdirectory.isEmpty {
            do {
                _ = try Directory(opening: checkout).directory(
                    PathBytes(source.subdirectory), resolving: .noSymlinks)
            } catch let error as LinuxError {
                throw ContextsError(
                    .git, "failed to open subdir \(source.subdirectory): it is not a directory of the repository",
                    hint: "Symbolic links are not followed there.", cause: error)
            }
            path = checkout.pushing(FilePath(source.subdirectory))
        }
        // Git keeps nobody from naming a file so only where it would be its own: at the top and in submodules.
        let keepsGitDirectory = source.keepsGitDirectory && source.subdirectory.isEmpty
        let rules = try IgnoreRules(patterns: keepsGitDirectory ? [] : ["**/.git"])
        files = try ContextTree(path, rules: rules, cache: store.contexts)
        self.time = time
    }

    private func normalised(_ node: FileNode) -> FileNode {
        var entry = node.entry
        entry.modified = time
        switch entry.kind {
        case .regular: entry.permissions = entry.permissions & 0o100 == 0 ? 0o644 : 0o755
        case .directory: entry.permissions = 0o755
        default: break
        }
        return FileNode(path: node.path, entry: entry, linkIdentity: node.linkIdentity, origin: node.origin)
    }

    package func node(at path: PathBytes) throws -> FileNode? { try files.node(at: path).map(normalised) }

    package func contents(of directory: FileNode) throws -> DirectoryContents {
        try files.contents(of: directory).changed { [self] in $0.map(normalised) }
    }

    package func open(_ file: FileNode) throws -> OwnedDescriptor { try files.open(file) }

    package func contentDigest(of file: FileNode) throws -> [UInt8] { try files.contentDigest(of: file) }
}
