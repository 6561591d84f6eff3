import Diagnostics
import Execution
package import Images
import Layers
import Linux
package import OCI
import Solver
import Store
package import SystemPackage
import Trees

/// The files of an image as a container would see them.
package struct ImageFileSystem: Sendable {
    private let images: ImageTransfer
    private let image: StoredImage

    /// Finds an image of the store by its name or ID; with `platform`, that of a name for it.
    ///
    /// Throws ``ImagesError`` `.imageNotFound`.
    package init(_ text: String, platform: Platform?, in images: ImageTransfer) throws {
        self.images = images
        image = try images.image(text, for: platform)
    }

    /// Writes the files as one plain archive, with their owners; the descriptor stays open.
    package func writeArchive(to path: FilePath) async throws {
        try await withTree { tree in
            try OutputFile.write(to: path) { try FileExport(tree: tree, epoch: nil).writeTar(to: $0) }
        }
    }

    /// Writes the files into a directory, which is made: with owners and devices if this process may.
    ///
    /// Throws ``EngineError`` `.notEmpty` when the directory holds something.
    package func unpack(to path: FilePath) async throws {
        try FileSystem.makeDirectories(path)
        guard try Directory(opening: path).names().isEmpty else {
            throw EngineError(.notEmpty, "the directory '\(path)' is not empty", hint: "Name a new directory.")
        }
        try await withTree { tree in
            guard let root = try tree.node(at: "") else { return }
            var copy = try TreeCopy(of: tree, into: path)
            copy.makesDevices = IDMaps.canSetOwners && !UserNamespace.isEntered
            try copy.fill(from: root)
        }
    }

    private func withTree(_ body: @escaping @Sendable (LayerFileTree) throws -> Void) async throws {
        let lease = try images.store.lease()
        let isolation = StepIsolation(nil, store: images.store)
        let trees = LayerTreeCache(images.store.layers)
        let snapshots = SnapshotUnpacker(
            store: images.store, trees: trees, fetcher: images.fetcher,
            progress: LayerProgress(ProgressReporter { _ in }), form: isolation.form)
        let stack = LayerStack(layers: image.diffIDs.map { LayerStack.Layer(diffID: $0, created: nil) })
        let tree = try await InputFiles(snapshots: snapshots).tree(of: stack)
        try await offload { try body(tree) }
        _ = consume lease
    }
}
