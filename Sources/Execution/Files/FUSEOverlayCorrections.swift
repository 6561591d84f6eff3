package import Layers
package import Linux
package import SystemPackage
package import Trees

/// Corrections of the copies that fuse-overlayfs makes of files of the layers below in the upper directory.
///
/// Setuid and setgid are lost, of directories always and of files in a user namespace, and what is neither file, directory
/// nor link becomes an empty file: so these are copied before the command. Directories and links get the time of the
/// copy: that is undone afterwards.
package struct FUSEOverlayCorrections {
    package let below: LayerTree
    /// The time at which the command began, or a little earlier: files copied for it have a later one.
    package let start: FileTime

    // MARK: Before the command

    package func prepare(_ upper: FilePath, from tree: LayerFileTree) throws {
        let nodes = fragile
        guard !nodes.isEmpty else { return }
        var copy = try TreeCopy(of: tree, into: upper)
        // With this, it counts as copied like all others.
        try copy.copy(only: nodes, noting: LayerDiffer.servedOrigin)
    }

    /// The files that have to be copied, and the directories above them, in the order of a walk.
    private var fragile: [FileNode] {
        var found: [FileNode] = []
        func visit(_ directory: PathBytes) {
            for node in below.children(of: directory) {
                let position = found.count
                if node.isDirectory { visit(node.path) }
                let isOnTheWay = found.count > position
                if isOnTheWay || Self.isFragile(node.entry) { found.insert(node, at: position) }
            }
        }
        visit("")
        return found
    }

    private static func isFragile(_ entry: LayerEntry) -> Bool {
        switch entry.kind {
        case .regular, .directory: entry.permissions & 0o6000 != 0
        case .fifo: true
        // Who cannot make devices does not have those of the layers below, either.
        case .characterDevice, .blockDevice: !UserNamespace.isEntered
        default: false
        }
    }

    // MARK: After the command

    /// Gives directories and links that were only copied the time they had.
    package func repair(_ upper: borrowing Directory) throws {
        let found = try LayerDiffer(.names).find(upper)
        let changes = changes(found)
        for file in found where file.entry.modified.seconds >= start.seconds {
            let entry = file.entry
            guard let old = below.node(at: entry.path)?.entry else { continue }
            let isCopy =
                switch entry.kind {
                case .directory: changes.isOnlyOnTheWay(entry.path)
                case .symlink: Self.isSameLink(entry, old)
                default: false
                }
            if isCopy { try upper.setModified(entry.path, old.modified) }
        }
    }

    /// Removes copies that made no difference, as is known from the list of the layer: it has them in neither form.
    package func removeUnchanged(in upper: borrowing Directory, _ files: FileList) throws {
        for node in fragile where !node.isDirectory && files[node.path] == nil {
            guard try upper.statusIfExists(node.path) != nil else { continue }
            let parent = node.path.parent.isEmpty ? "." : node.path.parent
            let modified = try upper.status(parent).modified
            try upper.unlink(node.path)
            try upper.setModified(parent, modified)
        }
    }

    /// The changes of the command to directories of the layers below.
    private struct Changes {
        var opaque: Set<PathBytes> = []
        /// Those in which names came or went, or may have.
        var changed: Set<PathBytes> = []
        var parents: Set<PathBytes> = []

        /// Whether all that is there of a directory was copied: the directory only leads to it.
        func isOnlyOnTheWay(_ path: PathBytes) -> Bool { parents.contains(path) && !changed.contains(path) }
    }

    private func changes(_ found: [FoundFile]) -> Changes {
        var changes = Changes()
        for file in found where file.entry.kind == .opaque { changes.opaque.insert(file.entry.path) }
        changes.changed = changes.opaque
        for file in found where file.entry.kind != .opaque {
            let entry = file.entry
            changes.parents.insert(entry.path.parent)
            let old = below.node(at: entry.path)?.entry
            let wasThere =
                switch entry.kind {
                case .directory: old?.kind == .directory && !changes.opaque.contains(entry.path)
                case .symlink: old.map { Self.isSameLink(entry, $0) } ?? false
                case .regular: old?.kind == .regular && file.isCopy
                default: old?.kind == entry.kind
                }
            if !wasThere { changes.changed.insert(entry.path.parent) }
        }
        return changes
    }

    private static func isSameLink(_ entry: LayerEntry, _ old: LayerEntry) -> Bool {
        old.kind == .symlink && old.linkTarget == entry.linkTarget
    }
}
