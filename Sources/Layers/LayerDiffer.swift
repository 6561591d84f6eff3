import Diagnostics
import Glibc
package import Linux

/// Finds out what is in a directory: the upper directory of an overlay, where it is what changed, or any tree.
///
/// A character device 0:0 is a whiteout, and the attribute `opaque` makes a directory opaque, as the kernel's
/// `Documentation/filesystems/overlayfs.rst` says. Names of one file become hard links to the first of them. Sockets
/// are left out, as is the directory itself.
package struct LayerDiffer {
    /// Later times are replaced by this one; in seconds since the epoch.
    package var latestTime: Int64?
    /// What is left out, with all below.
    package var excluded: Set<PathBytes>

    /// Whom a file belongs to where the tree cannot say: where all of its files belong to whoever made them. `nil` for
    /// a file that nothing is known about.
    package var recordedOwner: (PathBytes) -> (user: UInt32, group: UInt32)? = { _ in nil }

    package init(latestTime: Int64? = nil, excluded: Set<PathBytes> = []) {
        self.latestTime = latestTime
        self.excluded = excluded
    }

    /// Adds all that is below `upper` to the layer, in the order of a walk with sorted names.
    ///
    /// Throws ``LayerError`` `.fileChanged` when a file changes its size meanwhile, and `.unsupported` when overlayfs
    /// was mounted with `metacopy` or `redirect_dir`, so that the upper directory alone does not tell what changed.
    package func diff(_ upper: borrowing Directory, into writer: inout LayerWriter) throws {
        var links: [FileIdentity: PathBytes] = [:]
        try walk(upper, PathBytes([UInt8]()), &links, into: &writer)
    }

    private func walk(
        _ directory: borrowing Directory, _ path: PathBytes, _ links: inout [FileIdentity: PathBytes],
        into writer: inout LayerWriter
    ) throws {
        for name in try directory.names() {
            let path = path.appending(name)
            if !excluded.isEmpty, excluded.contains(path) { continue }
            let status = try directory.status(name)
            guard var entry = LayerEntry(path: path, status: status) else { continue }
            if entry.kind == .characterDevice, status.deviceMajor == 0, status.deviceMinor == 0 {
                try writer.add(LayerEntry(path: path, kind: .whiteout))
                continue
            }
            if let owner = recordedOwner(path) { (entry.owner, entry.group) = owner }
            let isOpaque = try addAttributes(of: name, in: directory, to: &entry)
            if let latestTime, entry.modified.seconds >= latestTime { entry.modified = FileTime(seconds: latestTime) }
            if entry.kind == .symlink { entry.linkTarget = try directory.linkTarget(name) }
            if status.links > 1, entry.kind != .directory {
                let identity = FileIdentity(device: status.device, inode: status.inode)
                if let first = links[identity] {
                    entry.kind = .hardLink
                    entry.size = 0
                    entry.linkTarget = first
                } else {
                    links[identity] = path
                }
            }
            try add(entry, name, in: directory, into: &writer)
            if isOpaque { try writer.add(LayerEntry(path: path, kind: .opaque)) }
            if entry.kind == .directory {
                try walk(try directory.directory(name, resolving: .noSymlinks), path, &links, into: &writer)
            }
        }
    }

    private func add(
        _ entry: LayerEntry, _ name: PathBytes, in directory: borrowing Directory, into writer: inout LayerWriter
    ) throws {
        guard entry.kind == .regular, entry.size > 0 else { return try writer.add(entry) }
        let file = try directory.open(name, O_RDONLY | O_NOFOLLOW, resolving: .noSymlinks)
        try writer.add(entry, content: file)
    }

    /// Reads the attributes that belong to a layer, and says whether overlayfs' own make the directory opaque.
    private func addAttributes(
        of name: PathBytes, in directory: borrowing Directory, to entry: inout LayerEntry
    ) throws -> Bool {
        var isOpaque = false
        for attribute in try directory.extendedAttributes(name) {
            guard OverlayAttribute.isInternal(attribute.name) else {
                entry.attributes.append(attribute)
                continue
            }
            // What a command itself sets under such a name has one more "overlay." in it, and means nothing.
            if OverlayAttribute.names("opaque").contains(attribute.name) {
                isOpaque = isOpaque || (entry.kind == .directory && attribute.value == [UInt8(ascii: "y")])
            } else if (OverlayAttribute.names("redirect") + OverlayAttribute.names("metacopy"))
                .contains(attribute.name)
            {
                throw LayerError(
                    .unsupported, "'/\(entry.path.text)' refers to the layers below it by '\(attribute.name.text)'",
                    hint: "Mount the overlay with redirect_dir=off,metacopy=off.")
            }
        }
        return isOpaque
    }
}

/// What tells two files apart.
private struct FileIdentity: Hashable {
    let device: UInt64
    let inode: UInt64
}
