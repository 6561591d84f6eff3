import Diagnostics
import Images
import Layers
import Linux
import OCI
import SystemPackage
import Transports
import Trees

/// Writes the files of a build's result for the user: into a directory, or as one plain archive.
struct FileExport {
    let tree: any FileTree
    /// Stands for every file's time when it is given.
    let epoch: Int64?

    /// The archive keeps owners; entries are in the order of a walk.
    func writeTar(to output: FileDescriptor) throws {
        var tar = TarWriter(DescriptorSink(descriptor: output))
        try write(to: &tar)
        _ = try tar.finish()
    }

    /// Writes one archive with a directory for each part.
    static func writeTar(of parts: [(directory: PathBytes, files: FileExport)], to output: FileDescriptor) throws {
        var tar = TarWriter(DescriptorSink(descriptor: output))
        for (directory, files) in parts {
            var entry = LayerEntry(path: directory, kind: .directory, permissions: 0o755)
            if let epoch = files.epoch { entry.modified = FileTime(seconds: epoch) }
            try tar.writeHeader(entry)
            try files.write(to: &tar, below: directory)
        }
        _ = try tar.finish()
    }

    private func write(to tar: inout TarWriter<DescriptorSink>, below directory: PathBytes? = nil) throws {
        func place(_ path: PathBytes) -> PathBytes { directory.map { $0.appending(path) } ?? path }
        var links: [LinkIdentity: PathBytes] = [:]
        try walk { node in
            var entry = entry(node).moved(to: place(node.path))
            if let identity = node.linkIdentity, let first = links[identity] {
                entry.kind = .hardLink
                entry.linkTarget = first
                entry.size = 0
            } else if let identity = node.linkIdentity {
                links[identity] = entry.path
            }
            try tar.writeHeader(entry)
            if entry.kind == .regular { _ = try tar.writeContent(of: entry, from: tree.open(node)) }
        }
    }

    /// Files belong to the user who runs the build; what is there is merged with or replaced. With `deletesOthers`, what
    /// is there and not in the result is removed.
    func write(toDirectory path: FilePath, deletesOthers: Bool = false) throws {
        try FileSystem.makeDirectories(path)
        let root = try Directory(opening: path)
        var directories: [(PathBytes, LayerEntry)] = []
        var written: Set<PathBytes> = []
        try walk { node in
            if deletesOthers { written.insert(node.path) }
            let entry = entry(node)
            let parent = try root.directory(node.path.parent, resolving: .noSymlinks)
            let name = node.path.lastComponent
            if node.isDirectory {
                if try parent.statusIfExists(name)?.type != .directory {
                    try parent.removeTree(name)
                    try parent.makeDirectory(name, permissions: 0o700)
                }
                directories.append((node.path, entry))
                return
            }
            try parent.removeTree(name)
            switch entry.kind {
            case .symlink: try parent.makeSymlink(name, to: entry.linkTarget)
            case .regular: try copy(node, to: name, in: parent)
            case .fifo: try parent.makeNode(name, .fifo, permissions: entry.permissions)
            // A device needs privileges that the user may not have, and is of no use in a directory of results.
            default: return
            }
            if entry.kind == .regular { try parent.setPermissions(name, entry.permissions) }
            try parent.setModified(name, entry.modified)
        }
        if deletesOthers {
            for path in [""] + directories.map(\.0) {
                let directory = try root.directory(path.isEmpty ? "." : path, resolving: .noSymlinks)
                for name in try directory.names() where !written.contains(path.appending(name)) {
                    try directory.removeTree(name)
                }
            }
        }
        for (path, entry) in directories.reversed() {
            let parent = try root.directory(path.parent, resolving: .noSymlinks)
            try parent.setPermissions(path.lastComponent, entry.permissions)
            try parent.setModified(path.lastComponent, entry.modified)
        }
    }

    /// Throws ``EngineError`` `.unsupported` for a directory in which more than results would be deleted.
    static func checkDeletion(in path: FilePath) throws {
        let target = FileSystem.absolute(path).lexicallyNormalized()
        guard !FileSystem.absolute(".").lexicallyNormalized().starts(with: target) else {
            throw EngineError(
                .unsupported, "mode=delete would remove the files of '\(target)', which holds the working directory",
                hint: "Name a directory that holds nothing but results.")
        }
    }

    /// Removes what is in a directory and has none of these names.
    static func removeOthers(in path: FilePath, keeping names: Set<PathBytes>) throws {
        let directory = try Directory(opening: path)
        for name in try directory.names() where !names.contains(name) { try directory.removeTree(name) }
    }

    private func entry(_ node: FileNode) -> LayerEntry {
        var entry = node.entry.moved(to: node.path)
        if let epoch { entry.modified = FileTime(seconds: epoch) }
        return entry
    }

    private func copy(_ node: FileNode, to name: PathBytes, in directory: borrowing Directory) throws {
        let source = try tree.open(node)
        let target = try directory.create(name)
        try source.readPieces(of: node.entry.size) { try target.write($0) }
    }

    private func walk(_ visit: (FileNode) throws -> Void) throws {
        guard let root = try tree.node(at: "") else { return }
        try tree.walk(below: root) { node in
            try visit(node)
            return true
        }
    }
}
