import Glibc
package import SystemPackage

/// Restrictions of a mount. The raw values are the `MS_` flags of `mount(2)`.
package struct MountFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readOnly = MountFlags(rawValue: 1)
    package static let noSetuid = MountFlags(rawValue: 2)
    package static let noDevices = MountFlags(rawValue: 4)
    package static let noExecute = MountFlags(rawValue: 8)
    package static let bind = MountFlags(rawValue: 4096)
    package static let recursive = MountFlags(rawValue: 16384)
    package static let isPrivate = MountFlags(rawValue: 1 << 18)
    package static let strictAccessTime = MountFlags(rawValue: 1 << 24)
}

extension MountFlags: CustomStringConvertible {
    /// As in the options of `/proc/self/mounts`, e.g. `ro,nosuid`.
    package var description: String {
        let names: [(MountFlags, String)] = [
            (.readOnly, "ro"), (.noSetuid, "nosuid"), (.noDevices, "nodev"), (.noExecute, "noexec"), (.bind, "bind"),
            (.recursive, "recursive"), (.isPrivate, "private"), (.strictAccessTime, "strictatime"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: ",")
    }
}

/// The options of one overlay file system, in the form the kernel wants them.
package struct OverlayOptions: Hashable, Sendable {
    /// The directory from which relative paths among the layers are meant.
    package let directory: FilePath
    /// Lower directories, top first, as unescaped paths.
    package let lowers: [PathBytes]
    /// All but the lower directories, as key and value; an empty value is a flag.
    package let others: [Option]

    package struct Option: Hashable, Sendable {
        package let key: String
        package let value: PathBytes
    }

    /// The options of `mount(2)` fit one page, with its terminator.
    package static let longestData = 4095

    /// - Parameters:
    ///   - lowers: absolute paths, top first.
    ///   - upper: where changes go; without it the overlay is read-only and needs two lower directories.
    ///   - work: an empty directory next to `upper`.
    ///   - isVolatile: whether `sync` inside does nothing, for trees that are lost anyway when the machine stops.
    ///   - usesUserAttributes: whether the overlay keeps its notes in `user.` rather than `trusted.` attributes, as it
    ///     must in a user namespace (kernel 5.11).
    package init(
        lowers: [FilePath], upper: FilePath? = nil, work: FilePath? = nil, isVolatile: Bool = false,
        usesUserAttributes: Bool = false
    ) {
        let directory = Self.commonDirectory(of: lowers + [upper, work].compactMap { $0 })
        func relative(_ path: FilePath) -> PathBytes {
            var rest = path
            // A path that is the common directory itself, or has another root, stays as it is.
            return rest.removePrefix(directory) && !rest.isEmpty ? PathBytes(rest) : PathBytes(path)
        }
        self.directory = directory
        self.lowers = lowers.map(relative)
        var others: [Option] = []
        if let upper { others.append(Option(key: "upperdir", value: Self.escape(relative(upper)))) }
        if let work { others.append(Option(key: "workdir", value: Self.escape(relative(work)))) }
        // What a layer is must not depend on how the kernel was configured: renamed directories are copied, not
        // redirected, and no file has its content elsewhere.
        others += [("index", "off"), ("redirect_dir", "nofollow"), ("metacopy", "off")]
            .map { Option(key: $0.0, value: PathBytes($0.1)) }
        if isVolatile { others.append(Option(key: "volatile", value: "")) }
        if usesUserAttributes { others.append(Option(key: "userxattr", value: "")) }
        self.others = others
    }

    /// The options as `mount(2)` takes them, or `nil` when they are too long for it.
    package var data: PathBytes? {
        var bytes = Array("lowerdir=".utf8)
        bytes += lowers.map { Self.escape($0).bytes }.joined(separator: ":".utf8)
        for option in others {
            bytes += ",\(option.key)".utf8
            if !option.value.isEmpty { bytes += Array("=".utf8) + option.value.bytes }
        }
        return bytes.count <= Self.longestData ? PathBytes(bytes) : nil
    }

    /// A colon would end a layer's path and a comma the option.
    private static func escape(_ path: PathBytes) -> PathBytes {
        PathBytes(
            path.bytes.flatMap { byte in
                [UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "\\")].contains(byte)
                    ? [UInt8(ascii: "\\"), byte] : [byte]
            })
    }

    private static func commonDirectory(of paths: [FilePath]) -> FilePath {
        guard var common = paths.first?.removingLastComponent() else { return "/" }
        for path in paths {
            while !path.starts(with: common), common.removeLastComponent() {}
        }
        return common
    }
}

extension PathBytes {
    /// The bytes of a path of the host.
    package init(_ path: FilePath) {
        self.init(
            unsafe path.withPlatformString { text in
                unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
            })
    }
}
