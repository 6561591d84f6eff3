package import SystemPackage

/// A substitute in a chroot for something that cannot be mounted there.
package struct ChrootSubstitute: Sendable {
    package enum Content: Sendable {
        /// An empty directory of root's.
        case directory(permissions: UInt32)
        case file(content: [UInt8], permissions: UInt32, owner: UInt32, group: UInt32)
        /// A directory with the usual devices; see ``DeviceDirectory``.
        case devices
        /// A copy of a file or directory of the host.
        case copy(FilePath)
        /// A file or directory of the host's that is moved into place and is gone afterwards.
        case gift(FilePath)
        /// A directory that is moved into place and back afterwards. No other command may use it meanwhile; a file
        /// `lent` next to it says where it is. See ``ChrootSubstitutes/recover(_:)``.
        case loan(FilePath)
        /// Another name of a socket of the host's.
        case socket(FilePath)
    }

    /// An absolute path in the root, whose links are followed as the root means them, but for the last component.
    package let target: FilePath
    package let content: Content

    package init(target: FilePath, content: Content) {
        self.target = target
        self.content = content
    }
}
