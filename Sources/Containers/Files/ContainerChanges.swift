import Diagnostics
import Execution
package import Images
import Layers
package import Linux
import OCI
import Store
import SystemPackage
import Trees

/// A path that a container has changed, as `diff` lists it.
package struct ContainerChange: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case added = "A"
        case changed = "C"
        case deleted = "D"
    }

    package let kind: Kind
    /// Without a leading slash.
    package let path: PathBytes
}

extension Container {
    /// The sizes of the files that it has written, in bytes.
    package func writtenBytes() throws -> Int64 { try Self.bytes(below: directory.appending("fs")) }

    /// The sizes of all files in a directory, in bytes.
    static func bytes(below directory: FilePath) throws -> Int64 {
        var differ = LayerDiffer()
        differ.readsAttributes = false
        let found = try differ.find(try Directory(opening: directory))
        return found.clampedSum { $0.entry.kind == .regular ? $0.entry.size : 0 }
    }

    /// The paths that differ from the image, in the order of a walk.
    package func changes(_ images: ImageTransfer) async throws -> [ContainerChange] {
        let lease = try images.store.lease()
        let files = try await ContainerFiles(self, images: images)
        let changes = try await offload {
            let (found, below) = try files.overlay.changes(files.setup.trees.layers, besides: files.mountPoints)
            let paths = Set(found.map(\.entry.path))
            return found.flatMap { file -> [ContainerChange] in
                let path = file.entry.path
                switch file.entry.kind {
                case .whiteout: return [ContainerChange(kind: .deleted, path: path)]
                // What the directory hides and does not have again.
                case .opaque:
                    return below.children(of: path).map(\.path).filter { !paths.contains($0) }.map {
                        ContainerChange(kind: .deleted, path: $0)
                    }
                default: return [ContainerChange(kind: below.node(at: path) == nil ? .added : .changed, path: path)]
                }
            }
        }
        _ = consume lease
        return changes
    }
}
