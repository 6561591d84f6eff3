import Diagnostics
import Layers
import Linux
import OCI
import Solver
import Store
package import SystemPackage
import Trees

/// Writes the result of a build to where the user wants it besides the store.
struct OutputWriter {
    let store: StoreRoot
    let images: ImageTransfer
    let runner: BuildRunner
    let progress: ProgressReporter
    let epoch: Int64?

    func write(
        _ output: BuildOutput, state: LayerStack, imageID: Digest?, tags: [ImageReference]
    ) async throws {
        switch output {
        case .none, .store: return
        case .oci(let path, let isArchive):
            try await progress.step("exporting to oci image format") { _ in
                let archive = try await self.archive(imageID, tags, isForDocker: false)
                try await offload {
                    if isArchive {
                        try Self.withOutput(path) { try archive.write(to: $0) }
                    } else {
                        try archive.write(toDirectory: path)
                    }
                }
            }
        case .dockerArchive(let path):
            try await progress.step("exporting to docker image format") { _ in
                let archive = try await self.archive(imageID, tags, isForDocker: true)
                try await offload { try Self.withOutput(path) { try archive.write(to: $0) } }
            }
        case .directory(let path):
            try await progress.step("exporting to client directory") { _ in
                let tree = try await runner.sourceTree(.files(state))
                try await offload { try FileExport(tree: tree, epoch: epoch).write(toDirectory: path) }
            }
        case .tar(let path):
            try await progress.step("exporting to client tarball") { _ in
                let tree = try await runner.sourceTree(.files(state))
                try await offload {
                    try Self.withOutput(path) { try FileExport(tree: tree, epoch: epoch).writeTar(to: $0) }
                }
            }
        case .push:
            // The name may belong to the image of another build by now.
            let image = try await builtImage(imageID)
            for tag in tags {
                try await progress.step("pushing \(tag)") { step in
                    let pushed = try await images.push(image, as: tag)
                    step.status("pushing manifest for \(tag)@\(pushed.digest)", isComplete: true)
                }
            }
        }
    }

    private func builtImage(_ id: Digest?) async throws -> StoredImage {
        let built = try await offload { [store] in try id.flatMap { try store.images.image(id: $0) } }
        guard let built else { throw EngineError(.imageNotFound, "the built image is not in the store") }
        return built
    }

    private func archive(
        _ imageID: Digest?, _ tags: [ImageReference], isForDocker: Bool
    ) async throws -> ImageArchive {
        let image = try await builtImage(imageID)
        try await runner.fetchAll(image.diffIDs)
        return try await offload { [images, epoch] in
            let archived = ArchivedImage(names: tags, image: image, config: try images.config(of: image))
            let created = epoch.map { Timestamp(seconds: $0) } ?? archived.config.created
            return ImageArchive(source: images, images: [archived], isForDocker: isForDocker, created: created)
        }
    }

    /// `-` is the standard output; a file is replaced only when all of it is written.
    static func withOutput(_ path: FilePath, _ body: (FileDescriptor) throws -> Void) throws {
        guard path != "-" else { return try body(.standardOutput) }
        try FileSystem.replace(path) { try body($0.raw) }
    }
}

extension ImageTransfer {
    /// Writes images as one archive that Docker, Podman, containerd and skopeo load. `-` is the standard output.
    ///
    /// Each text is a name or an ID; an image asked for by its ID keeps all names it has.
    package func save(
        _ texts: [String], to path: FilePath, report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws {
        let lease = try store.lease()
        for image in try await offload({ [self] in try texts.map(image) }) {
            try await fetchLayers(of: image, report: report)
        }
        try await offload { [self] in try write(texts, to: path) }
        _ = consume lease
    }

    private func write(_ texts: [String], to path: FilePath) throws {
        var order: [Digest] = []
        var chosen: [Digest: (image: StoredImage, names: [ImageReference])] = [:]
        for text in texts {
            let image = try image(text)
            if chosen[image.id] == nil {
                order.append(image.id)
                chosen[image.id] = (image, [])
            }
            let named = (try? ImageReference(parsing: text)).flatMap { image.names.contains($0) ? $0 : nil }
            for name in named.map({ [$0] }) ?? image.names where chosen[image.id]?.names.contains(name) == false {
                chosen[image.id]?.names.append(name)
            }
        }
        let images = try order.compactMap { chosen[$0] }.map { image, names in
            ArchivedImage(names: names, image: image, config: try config(of: image))
        }
        let archive = ImageArchive(
            source: self, images: images, isForDocker: true, created: images.count == 1 ? images[0].config.created : nil
        )
        try OutputWriter.withOutput(path) { try archive.write(to: $0) }
    }
}
