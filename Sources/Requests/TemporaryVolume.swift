import Diagnostics
import GoCompat
package import Linux
import OCI
package import SystemPackage

/// A directory in memory for one command, as `--tmpfs` says.
package struct TemporaryVolume: Hashable, Sendable {
    /// Absolute.
    package let target: FilePath
    /// In bytes; `nil` for the kernel's default.
    package let size: UInt64?
    package let isReadOnly: Bool
    package let flags: MountFlags

    package init(target: FilePath, size: UInt64?, isReadOnly: Bool, flags: MountFlags = []) {
        self.target = target
        self.size = size
        self.isReadOnly = isReadOnly
        self.flags = flags
    }

    /// Parses `PATH[:OPTION,…]`. As with Docker, no program is executed there unless the options say `exec`.
    ///
    /// Throws ``RequestsError`` `.badVolume`.
    package init(parsing text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts[0].hasPrefix("/"), FilePath(parts[0]).lexicallyNormalized() != "/" else {
            throw RequestsError(.badVolume, "invalid tmpfs '\(text)': '\(parts[0])' is no absolute path below the root")
        }
        var size: UInt64?
        var isReadOnly = false
        var flags: MountFlags = [.noExecute, .noSetuid, .noDevices]
        for option in parts.count == 2 ? parts[1].split(separator: ",") : [] {
            switch option {
            case "ro": isReadOnly = true
            case "rw", "mode=1777", "mode=01777": break
            case "exec": flags.remove(.noExecute)
            case "noexec": flags.insert(.noExecute)
            case "suid": flags.remove(.noSetuid)
            case "nosuid": flags.insert(.noSetuid)
            case "nodev": flags.insert(.noDevices)
            case _ where option.hasPrefix("size="):
                guard let bytes = ByteSize.parse(String(option.dropFirst(5))), bytes > 0 else {
                    throw RequestsError(.badVolume, "invalid tmpfs '\(text)': '\(option)' is no size")
                }
                size = bytes
            default:
                throw RequestsError(
                    .badVolume, "invalid tmpfs '\(text)': the option '\(option)' is not supported",
                    hint: "Use size=SIZE, ro, exec, noexec, suid, nosuid or nodev.")
            }
        }
        self.init(target: FilePath(parts[0]), size: size, isReadOnly: isReadOnly, flags: flags)
    }

    init?(json: JSON) {
        guard let target = json["target"]?.string, let flags = json["flags"]?.integer.flatMap({ UInt64(exactly: $0) })
        else { return nil }
        self.init(
            target: FilePath(target), size: json["size"]?.integer.flatMap { UInt64(exactly: $0) },
            isReadOnly: json["isReadOnly"]?.bool ?? false, flags: MountFlags(rawValue: flags))
    }
}
