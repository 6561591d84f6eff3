import Diagnostics
import Linux
package import OCI
import Synchronization
package import SystemPackage
import Trees

/// Writes an image into a directory as skopeo's `dir:` transport does: a manifest, and blobs by their digests.
package final class DirectoryImageWriter: ImageWriter {
    private static let version = "version"

    private struct State {
        var root: ImageDocument?
        /// The names of the files that belong to the image.
        var names: Set<String> = []
    }

    private let path: FilePath
    private let state = Mutex(State())

    /// Throws ``TransportsError`` `.notEmpty` when the directory holds something else than such an image.
    package init(_ path: FilePath) throws {
        self.path = path
        try FileSystem.makeDirectories(path)
        let directory = try Directory(opening: path)
        guard try directory.statusIfExists(PathBytes(Self.version)) != nil || directory.names().isEmpty else {
            throw TransportsError(
                .notEmpty, "the directory '\(path)' is not empty and holds no image of 'dir:'",
                hint: "Name a new directory.")
        }
    }

    package var capacity: WriterCapacity { WriterCapacity() }

    package func write(
        _ document: ImageDocument, _ blobs: [Descriptor], from source: BlobProvider, isRoot: Bool,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        let sink = DirectorySink { [path] in path.appending($0.hex) }
        try await BlobWriting.copy(blobs, from: source, into: sink, limit: 4, report: report)
        let name = "\(document.descriptor.digest.hex).manifest.json"
        state.withLock { state in
            state.names.formUnion(blobs.map(\.digest.hex))
            if isRoot { state.root = document } else { state.names.insert(name) }
        }
        if !isRoot { try await offload { [path] in try FileSystem.write(document.bytes, to: path.appending(name)) } }
        return document.bare
    }

    package func finish() async throws {
        let (root, names) = state.withLock { ($0.root, $0.names) }
        guard let root else { return }
        try await offload { [path] in
            try FileSystem.write(Array("Directory Transport Version: 1.1\n".utf8), to: path.appending(Self.version))
            try FileSystem.write(root.bytes, to: path.appending("manifest.json"))
            // Blobs and manifests of the image that was here before.
            let directory = try Directory(opening: path)
            for name in try directory.names() where !names.contains(name.text) && Self.isOwn(name.text) {
                try directory.unlink(name)
            }
        }
    }

    /// Whether a file has a name that this transport gives to blobs and manifests.
    private static func isOwn(_ name: String) -> Bool {
        let suffix = ".manifest.json"
        let hex = name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
        return (try? Digest(parsing: "sha256:\(hex)")) != nil
    }
}
