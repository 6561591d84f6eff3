package import SystemPackage

/// A file or directory that a chroot has in place of a mount.
package struct ChrootSubstitute: Sendable {
    package enum Content: Sendable {
        /// An empty directory that belongs to root; with `nil` it has the permissions of the directory it hides, 1777
        /// without one.
        case directory(permissions: UInt32?)
        case file(content: [UInt8], permissions: UInt32, owner: UInt32, group: UInt32)
        /// A directory with the usual devices; see ``DeviceDirectory``.
        case devices
        /// A copy of a file or directory of the host.
        case copy(FilePath)
        /// A file or directory of the host that is moved into place and is deleted afterwards.
        case moved(FilePath)
        /// The directory of a cache mount, which is moved into place and back afterwards. The caller has it for itself; a
        /// file `lent` next to it records its place, for the recovery after a kill of the builder.
        case cache(FilePath)
        /// Another name of a socket of the host.
        case socket(FilePath)
    }

    /// An absolute path in the root, whose links are followed as the root means them, but for the last component.
    package let target: FilePath
    package let content: Content
    /// Whether the command must not change it. Nothing prevents that; see ``ChrootSubstitutes/changedReadOnly(since:)``.
    package let isReadOnly: Bool

    package init(target: FilePath, content: Content, isReadOnly: Bool = false) {
        self.target = target
        self.content = content
        self.isReadOnly = isReadOnly
    }
}
