import Diagnostics
import Linux

/// The names by which a layer removes what lies below it.
///
/// Source: OCI image-spec, layer.md, "Whiteouts".
enum Whiteout {
    static let prefix: PathBytes = ".wh."
    static let opaque: PathBytes = ".wh..wh..opq"
    /// What AUFS kept for itself in the archives of old images; it means nothing.
    static let internalPrefix: PathBytes = ".wh..wh."

    /// The name of the member that removes a path.
    static func name(removing path: PathBytes) -> PathBytes {
        path.parent.appending(PathBytes(prefix.bytes + path.lastComponent.bytes))
    }

    /// The name of the member that removes all that a directory holds.
    static func name(emptying directory: PathBytes) -> PathBytes { directory.appending(opaque) }

    enum Meaning: Equatable {
        case file
        case whiteout(PathBytes)
        case opaque(PathBytes)
        case nothing
    }

    /// What a member with this normalised name is.
    static func meaning(of path: PathBytes) throws -> Meaning {
        let name = path.lastComponent
        guard name.bytes.starts(with: prefix.bytes) else { return .file }
        if name == opaque { return .opaque(path.parent) }
        if name.bytes.starts(with: internalPrefix.bytes) { return .nothing }
        let removed = PathBytes(name.bytes[prefix.bytes.count...])
        guard !removed.isEmpty, removed != ".", removed != ".." else {
            throw LayerError(.unsafePath, "the layer removes '\(path.text)', which is not a file name")
        }
        return .whiteout(path.parent.appending(removed))
    }
}
