package import Layers
package import Linux

/// A path at which two images do not have the same file.
package struct FileDifference: Hashable, Sendable {
    package enum Change: String, Hashable, Sendable, CaseIterable {
        case added
        case removed
        case changed
    }

    /// A part of a file that differs.
    package enum Cause: String, Hashable, Sendable, CaseIterable {
        /// A directory, link, device or regular file in place of another kind.
        case kind
        case content
        /// The target of a symbolic link, or the numbers of a device.
        case target
        case mode
        /// The owner or the group.
        case owner
        /// Extended attributes, such as capabilities.
        case attributes
        case time
    }

    /// The file in one of the images.
    package struct Version: Hashable, Sendable {
        /// A hard link to a regular file has that file's content and metadata.
        package let entry: LayerEntry
        /// The index of the layer that put it there.
        package let layer: Int
        /// The bytes that its layer stores for it.
        package let storedSize: Int64
    }

    package let path: PathBytes
    /// `nil` when the image does not have the path.
    package let old: Version?
    package let new: Version?
    /// Of a changed file, in the order of ``Cause``; otherwise empty.
    package let causes: [Cause]
    /// The layer of the new image that removes the path; `nil` when none does.
    package let remover: Int?

    package var change: Change { old == nil ? .added : new == nil ? .removed : .changed }

    /// Whether the files are equal but for their time.
    package var isTimeOnly: Bool { causes == [.time] }

    /// The growth in bytes: of contents for changed files, and of what layers store for others.
    package var sizeChange: Int64 {
        guard let old else { return new?.storedSize ?? 0 }
        guard let new else { return 0 &- old.storedSize }
        return max(0, new.entry.size) &- max(0, old.entry.size)
    }
}

extension FileDifference.Cause {
    /// The parts in which two files differ, in order.
    static func between(_ old: LayerEntry, _ new: LayerEntry) -> [FileDifference.Cause] {
        var causes: [FileDifference.Cause] = []
        let isSameKind = old.kind == new.kind
        if !isSameKind { causes.append(.kind) }
        if isSameKind, old.size != new.size || old.contentHash != new.contentHash { causes.append(.content) }
        if isSameKind,
            old.linkTarget != new.linkTarget || old.deviceMajor != new.deviceMajor
                || old.deviceMinor != new.deviceMinor
        {
            causes.append(.target)
        }
        // The mode of a symbolic link has no meaning.
        let isLink = old.kind == .symlink && new.kind == .symlink
        if !isLink, old.permissions != new.permissions { causes.append(.mode) }
        if old.owner != new.owner || old.group != new.group { causes.append(.owner) }
        if old.attributes != new.attributes { causes.append(.attributes) }
        if old.modified != new.modified { causes.append(.time) }
        return causes
    }
}
