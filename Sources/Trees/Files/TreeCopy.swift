import Layers
package import Linux
package import SystemPackage

/// Copies files of a tree to the host as they are in the tree: with owners, modes, times, extended attributes and hard
/// links.
package struct TreeCopy: ~Copyable {
    private let tree: any FileTree
    private let root: Directory
    /// The destination of the first name of each file that has several.
    private var copies: [LinkIdentity: PathBytes] = [:]
    /// Whether device files are copied.
    package var makesDevices = true
    /// Whether this process can give files away.
    private let preservesOwners = IDMaps.canSetOwners

    /// `path` is an existing directory.
    package init(of tree: any FileTree, into path: FilePath) throws {
        self.tree = tree
        root = try Directory(opening: path)
    }

    /// Makes the directory look like one of the tree.
    package mutating func fill(from directory: FileNode) throws {
        var files = try tree.contents(of: directory)
        while let child = try files.popFirst() { try copy(child, to: child.path.lastComponent) }
        try setMetadata(directory.entry, of: ".", in: root)
    }

    /// Copies just these, in the order of a walk, each with the directories above it before it: nothing else of those.
    ///
    /// Regular files get an attribute named `noting` that says their path.
    package mutating func copy(only nodes: [FileNode], noting: PathBytes) throws {
        for node in nodes where node.isDirectory { try root.makeDirectory(node.path, permissions: 0o700) }
        for node in nodes where !node.isDirectory {
            try copy(node, to: node.path)
            guard node.entry.kind == .regular else { continue }
            try root.setExtendedAttribute(
                node.path, ExtendedAttribute(name: noting, value: node.path.bytes + [0]))
        }
        for node in nodes.reversed() where node.isDirectory { try setMetadata(node.entry, of: node.path, in: root) }
    }

    /// Copies a file, or a directory with all below it, to a path whose directory exists.
    package mutating func copy(_ node: FileNode, to path: PathBytes) throws {
        try begin(node, at: path)
        guard node.isDirectory else { return }
        var open = [(directory: node, path: path, rest: try tree.contents(of: node))]
        while !open.isEmpty {
            if let child = try open[open.count - 1].rest.popFirst() {
                let path = open[open.count - 1].path.appending(child.path.lastComponent)
                try begin(child, at: path)
                if child.isDirectory { open.append((child, path, try tree.contents(of: child))) }
            } else {
                let (directory, path, _) = open.removeLast()
                let parent = try root.directory(path.parent, resolving: .noSymlinks)
                try setMetadata(directory.entry, of: path.lastComponent, in: parent)
            }
        }
    }

    /// Copies a file, or makes a directory, which gets its metadata when its files are there.
    private mutating func begin(_ node: FileNode, at path: PathBytes) throws {
        guard path.depth <= PathBytes.depthLimit else { throw TreesError.tooDeep }
        let parent = try root.directory(path.parent, resolving: .noSymlinks)
        let name = path.lastComponent
        let entry = node.entry
        if let identity = node.linkIdentity {
            if let first = copies[identity] {
                let other = try root.directory(first.parent, resolving: .noSymlinks)
                return try parent.makeHardLink(name, to: first.lastComponent, in: other)
            }
            copies[identity] = path
        }
        switch entry.kind {
        case .directory: return try parent.makeDirectory(name, permissions: 0o700)
        case .regular:
            let target = try parent.create(name)
            // An empty one may be a socket, which cannot be opened.
            if entry.size > 0 { try tree.open(node).copyContent(to: target) }
        case .symlink: try parent.makeSymlink(name, to: entry.linkTarget)
        case .fifo: try parent.makeNode(name, .fifo, permissions: entry.permissions)
        case .characterDevice, .blockDevice:
            guard makesDevices else { return }
            try parent.makeNode(
                name, entry.kind == .blockDevice ? .blockDevice : .characterDevice, permissions: entry.permissions,
                major: entry.deviceMajor, minor: entry.deviceMinor)
        // No file of a tree is one of these.
        case .hardLink, .whiteout, .opaque: return
        }
        try setMetadata(entry, of: name, in: parent)
    }

    /// The owner first: a change of it takes bits of the mode and capabilities away.
    private func setMetadata(_ entry: LayerEntry, of name: PathBytes, in directory: borrowing Directory) throws {
        if preservesOwners { try directory.setOwner(name, entry.owner, entry.group) }
        if entry.kind != .symlink { try directory.setPermissions(name, entry.permissions) }
        for attribute in entry.attributes {
            do { try directory.setExtendedAttribute(name, attribute) } catch let error as LinuxError
                where error.errno == .notSupported
            {
                // The file system of the store has no attributes of this kind.
            }
        }
        try directory.setModified(name, entry.modified)
    }
}
