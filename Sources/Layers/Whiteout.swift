import Diagnostics
package import Linux

/// How a lower directory of an overlay says that something below it is gone.
package enum OverlayMarks: Hashable, Sendable {
    /// A character device 0:0, and `trusted.overlay.opaque` for a directory: the kernel's, for root.
    case trusted
    /// The same with `user.overlay.opaque`: the kernel's in a user namespace.
    case user
    /// Files whose names are those of marks in a layer, which fuse-overlayfs understands. They can be on any file
    /// system; but no file that is meant can have such a name.
    case names
}

extension LayerEntry {
    /// Whether the entry is the device that an overlay takes for a mark: whatever unpacks it, nobody sees a file there.
    package var isWhiteoutDevice: Bool { kind == .characterDevice && deviceMajor == 0 && deviceMinor == 0 }
}

/// The names by which a layer removes what lies below it.
///
/// Source: OCI image-spec, layer.md, "Whiteouts".
package enum Whiteout {
    static let prefix: PathBytes = ".wh."
    static let opaque: PathBytes = ".wh..wh..opq"
    /// A file of AUFS's own in the archives of old images; it has no meaning.
    static let internalPrefix: PathBytes = ".wh..wh."

    /// The name of the member that removes a path.
    static func name(removing path: PathBytes) -> PathBytes {
        path.parent.appending(PathBytes(prefix.bytes + path.lastComponent.bytes))
    }

    /// The name of the member that removes all that a directory holds.
    static func name(emptying directory: PathBytes) -> PathBytes { directory.appending(opaque) }

    /// The files of a directory where marks are files, and what the marks say.
    struct Listing {
        /// In order, with names that are gone.
        var names: [(name: PathBytes, isGone: Bool)] = []
        var isOpaque = false

        /// Names of a directory, none of which is a mark.
        init(files: [PathBytes]) { names = files.map { ($0, false) } }

        init(_ names: [PathBytes]) {
            var gone: Set<PathBytes> = []
            for name in names where name.bytes.starts(with: prefix.bytes) {
                if name == opaque { isOpaque = true }
                if name == prefix || name.bytes.starts(with: internalPrefix.bytes) { continue }
                gone.insert(PathBytes(name.bytes[prefix.bytes.count...]))
            }
            let files = names.filter { !$0.bytes.starts(with: prefix.bytes) && !gone.contains($0) }
            self.names = files.map { ($0, false) } + gone.map { ($0, true) }
            if !gone.isEmpty { self.names.sort { $0.name < $1.name } }
        }
    }

    /// Throws ``LayerError`` `.reservedName` for a file that would be taken for a whiteout where the layer is unpacked, and
    /// `.unsupported` for one that is too deep in it.
    static func refuse(_ entry: LayerEntry) throws {
        guard entry.path.depth <= PathBytes.depthLimit else { throw LayerError.tooDeep }
        guard !entry.isWhiteoutDevice else {
            throw LayerError(
                .reservedName,
                "'/\(entry.path.text)' cannot be in an image: where layers are unpacked, a device with the number 0:0 says "
                    + "that a file is gone", hint: "Leave it out.")
        }
        guard !entry.isMark, entry.path.lastComponent.bytes.starts(with: prefix.bytes) else { return }
        throw LayerError(
            .reservedName,
            "'/\(entry.path.text)' cannot be in an image: in a layer, a name with '.wh.' in front says that a file is gone",
            hint: "Rename or remove the file, or leave it out with a .dockerignore.")
    }

    package enum Meaning: Equatable {
        case file
        case whiteout(PathBytes)
        case opaque(PathBytes)
        case nothing
    }

    /// The kind of a member with this normalised name.
    package static func meaning(of path: PathBytes) throws -> Meaning {
        // Nearly no name is a mark, and a copy of it is not needed to see that.
        let start = path.bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        guard path.bytes[start...].starts(with: prefix.bytes) else { return .file }
        let name = path.lastComponent
        if name == opaque { return .opaque(path.parent) }
        if name.bytes.starts(with: internalPrefix.bytes) { return .nothing }
        let removed = PathBytes(name.bytes[prefix.bytes.count...])
        guard !removed.isEmpty, removed != ".", removed != ".." else {
            throw LayerError(.unsafePath, "the layer removes '\(path.text)', which is not a file name")
        }
        return .whiteout(path.parent.appending(removed))
    }
}
