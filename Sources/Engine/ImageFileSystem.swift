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
        image = try images.image(text, platform: platform)
    }

    /// Writes the files as one plain archive, with their owners; the descriptor stays open.
    package func writeArchive(to path: FilePath) async throws {
        try await withFiles { tree, _ in
            try OutputFile.write(to: path) { try FileExport(tree: tree, epoch: nil).writeTar(to: $0) }
        }
    }

    /// Writes the files into a directory, which is made: with owners and devices if this process may.
    ///
    /// Throws ``EngineError`` `.notEmpty` when the directory holds something.
    package func unpack(to path: FilePath) async throws {
        try Self.makeEmpty(path)
        try await withFiles { tree, _ in try Self.write(tree, to: path) }
    }

    /// Makes a directory an OCI runtime bundle: the files in `rootfs`, and how to start them in `config.json`.
    ///
    /// Throws ``EngineError`` `.notEmpty` when the directory holds something.
    package func unpackBundle(to path: FilePath) async throws {
        try Self.makeEmpty(path)
        let config = try await offload { [images, image] in try images.config(of: image) }
        try await withFiles { tree, accounts in
            let user: ResolvedUser
            do { user = try accounts.resolve(config.config.user) } catch let error as any AnyFailure {
                throw EngineError(.badOwner, error.message, hint: "The image is damaged.", cause: error)
            }
            let files = path.appending("rootfs")
            try FileSystem.makeDirectories(files)
            try Self.write(tree, to: files)
            let bundle = RuntimeBundle(config: config, user: user, maps: RuntimeBundle.currentMaps)
            try FileSystem.write(bundle.json.encoded(.pretty(2)), to: path.appending("config.json"))
        }
    }

    private static func makeEmpty(_ path: FilePath) throws {
        try FileSystem.makeDirectories(path)
        guard try Directory(opening: path).names().isEmpty else {
            throw EngineError(.notEmpty, "the directory '\(path)' is not empty", hint: "Name a new directory.")
        }
    }

    private static func write(_ tree: LayerFileTree, to path: FilePath) throws {
        guard let root = try tree.node(at: "") else { return }
        var copy = try TreeCopy(of: tree, into: path)
        copy.makesDevices = IDMaps.canSetOwners && !UserNamespace.isEntered
        try copy.fill(from: root)
    }

    /// Runs `body` with the files of the image, which are all there then, and with its accounts.
    private func withFiles(_ body: @escaping @Sendable (LayerFileTree, UserDatabase) throws -> Void) async throws {
        let lease = try images.store.lease()
        let snapshots = StepIsolation(nil, store: images.store).unpacker(of: images)
        let stack = LayerStack(ofImage: image.diffIDs)
        let tree = try await InputFiles(snapshots: snapshots).tree(of: stack)
        let accounts = try await snapshots.accounts(of: stack)
        try await offload { try body(tree, accounts) }
        _ = consume lease
    }
}
