import Diagnostics
import Images
import Layers
import Linux
import OCI
import Requests
import Solver
import Store
import SystemPackage
import Trees

/// Takes the result of a build to where the user wants it.
///
/// Exporters get values. What they write is what this build made, whatever a name points to in the store by then.
protocol Exporter: Sendable {
    /// Writes the product, and adds to it what came of that.
    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws
}

/// The result of a build, as values.
struct BuildProduct: Sendable {
    /// The layers of the result.
    let stack: LayerStack
    /// The names that the image gets, here and elsewhere.
    let names: [ImageReference]
    /// Stands for every time if it is given.
    let epoch: Int64?
    /// The image in the store; the first exporter of an image sets it.
    var image: StoredImage?
    /// The manifest that the last exporter has written or pushed. In the store alone an image has one that nobody else
    /// sees.
    var manifest: Descriptor?

    /// The image in the store. Throws ``EngineError`` `.imageNotFound` when the build made none.
    func requireImage() throws -> StoredImage {
        guard let image else { throw EngineError(.imageNotFound, "the built image is not in the store") }
        return image
    }
}

/// The means by which exporters read layers and show progress.
struct ExportTools: Sendable {
    let images: ImageTransfer
    let files: InputFiles
    let layerProgress: LayerProgress
    let progress: ProgressReporter

    /// The image as an archive, with all its layers fetched.
    func archive(of product: BuildProduct, isForDocker: Bool) async throws -> ImageArchive {
        let image = try product.requireImage()
        try await layerProgress.session { session in
            try await images.fetcher.requireContent(image.diffIDs) { session.report($0) }
        }
        return try await offload { [images] in
            let archived = ArchivedImage(names: product.names, image: image, config: try images.config(of: image))
            let created = product.epoch.map { Timestamp(seconds: $0) } ?? archived.config.created
            return ImageArchive(source: images, images: [archived], isForDocker: isForDocker, created: created)
        }
    }
}

extension BuildOutput {
    /// The exporter that writes the output; `nil` where the image in the store, or the cache, is all.
    var exporter: (any Exporter)? {
        switch self {
        case .store, .none: nil
        case .oci(let path, let isArchive): OCIExporter(path: path, isArchive: isArchive)
        case .dockerArchive(let path): DockerExporter(path: path)
        case .directory(let path): LocalExporter(path: path)
        case .tar(let path): TarExporter(path: path)
        case .push: RegistryExporter()
        }
    }
}
