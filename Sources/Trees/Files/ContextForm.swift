import Linux

/// How the files of a context are seen.
package enum ContextForm: Hashable, Sendable {
    /// As they are on the disk.
    case disk
    /// As a clone of the repository has them for everybody: modes are 0644 or 0755, whatever the mask was, and there are
    /// no hard links, no attributes, and no directory `.git`.
    case git

    func permissions(_ status: FileStatus) -> UInt32 {
        switch (status.type, self) {
        case (.symlink, _): 0o777
        case (.directory, .git): 0o755
        case (.regular, .git): status.permissions & 0o100 == 0 ? 0o644 : 0o755
        default: status.permissions
        }
    }

    func hides(_ name: PathBytes) -> Bool { self == .git && name == ".git" }
}
