import Attestations
import Diagnostics
import Images
import Inspector
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
    /// Stands for every time if it is given.
    let epoch: Int64?
    /// The image as the build made it; `nil` when no output is one.
    let draft: ImageDraft?
    /// The provenance of each image, without its layers.
    var provenances: [Provenance] = []
    /// The images that exporters have recorded, each in the form of an output.
    var images: [ImageExporter: OutputImage] = [:]
    /// The image in the store, in the form of the last output that is one.
    var image: StoredImage?
    /// The index of the images for several platforms in the store.
    var index: ImageRoot?
    /// The manifest that the last exporter has written or pushed. In the store alone an image has one that nobody else
    /// sees.
    var manifest: Descriptor?
}

/// An image that is in no store yet.
struct ImageDraft: Sendable {
    let config: ImageConfig
    /// How many layers come from the base image.
    let baseCount: Int
    /// How many entries of the history this build has made.
    let stepCount: Int
    /// The annotations that say what made the image, and its inline cache. Docker's manifests have none.
    let annotations: [String: String]
    /// The provenance, if the image is to have one.
    let provenance: Provenance?
    /// Whether its packages are listed.
    let listsPackages: Bool
    /// How its attestations are tied to it.
    let attachment: AttestationRequest.Attachment
    /// The lines that made each layer.
    let origins: [LayerOrigin?]

    var isAttested: Bool { provenance != nil || listsPackages }
}

/// The means by which exporters read layers and show progress.
struct ExportTools: Sendable {
    let images: ImageTransfer
    let files: InputFiles
    let layerProgress: LayerProgress
    let progress: ProgressReporter

    /// The image as an archive, with all its layers fetched.
    func archive(
        of output: OutputImage, as names: [ImageReference], epoch: Int64?, isForDocker: Bool
    ) async throws -> ImageArchive {
        try await layerProgress.session { session in
            try await images.fetcher.requireContent(output.image.diffIDs) { session.report($0) }
        }
        let archived = ArchivedImage(
            names: names, image: output.image, config: output.config, form: output.form,
            annotations: output.descriptorAnnotations, index: output.index, referrers: output.referrers)
        let created = epoch.map { Timestamp(seconds: $0) } ?? output.config.created
        return ImageArchive(source: images, images: [archived], isForDocker: isForDocker, created: created)
    }
}

extension BuildOutput {
    /// The exporter that writes the output, of an image with these names; `nil` where the cache is all.
    func exporter(_ names: [ImageReference]) -> (any Exporter)? {
        func image(_ settings: ImageSettings, isKept: Bool) -> ImageExporter {
            ImageExporter(settings: settings, names: Self.unique(names + settings.names), keepsManifest: isKept)
        }
        return switch self {
        case .none: nil
        case .store(let settings): image(settings, isKept: true)
        case .oci(let path, let isArchive, let settings):
            OCIExporter(image: image(settings, isKept: false), path: path, isArchive: isArchive)
        case .dockerArchive(let path, let settings):
            DockerExporter(image: image(settings, isKept: false), path: path)
        case .directory(let path, let deletesOthers): LocalExporter(path: path, deletesOthers: deletesOthers)
        case .tar(let path): TarExporter(path: path)
        case .push(let settings): RegistryExporter(image: image(settings, isKept: true))
        }
    }

    /// The names without repetitions, in their order.
    static func unique(_ names: [ImageReference]) -> [ImageReference] {
        var seen: Set<ImageReference> = []
        return names.filter { seen.insert($0).inserted }
    }
}
