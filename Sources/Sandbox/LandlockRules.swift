import CLinux

/// The part of Landlock's rules that a sandbox uses. See `landlock(7)`.
package struct LandlockRules: Hashable, Sendable {
    /// The rights to files that are confined to one directory: a mask of `LANDLOCK_ACCESS_FS_` flags.
    let rights: UInt64
    /// The objects outside of its own descendants that the process may not reach: a mask of `LANDLOCK_SCOPE_` flags.
    let scopes: UInt64

    /// The version of the kernel's interface, 0 without one.
    package static var version: Int { Int(linux_landlock_version()) }

    /// Every right and every scope that a version knows; `nil` for a version that would forbid `rename` between
    /// directories.
    init?(version: Int) {
        guard version >= 2 else { return nil }
        // Version 1 has the first 13 rights. 2 added REFER, 3 TRUNCATE, 5 IOCTL_DEV.
        let count = version >= 5 ? 16 : version >= 3 ? 15 : 14
        rights = (1 << UInt64(count)) - 1
        scopes = Self.isScoped(version: version) ? 3 : 0
    }

    /// Whether a version can forbid signals to processes outside and connections to their abstract sockets.
    package static func isScoped(version: Int) -> Bool { version >= 6 }
}

extension LandlockRules: CustomStringConvertible {
    package var description: String { scopes == 0 ? "files" : "files, abstract sockets, signals" }
}
