import Console
import Diagnostics
import Engine
import ForeignImages
import Images
import Inspector
import Linux
import OCI
import Progress
import Registry
import Requests
import Store
import SystemPackage
import Transports

/// The image that an argument of the inspector names.
enum ImageArgument: Hashable, Sendable {
    /// An image of the store, or one that a transport names.
    case image(ImageLocation)
    /// A file or a directory of this machine.
    case path(FilePath)

    /// Paths begin with `/`, `./` or `../`; anything else is as ``ImageLocation/init(parsing:)`` has it.
    init(_ text: String) throws {
        let isPath = [".", ".."].contains(text) || ["/", "./", "../"].contains(where: text.hasPrefix)
        self = isPath ? .path(FilePath(text)) : .image(try ImageLocation(parsing: text))
    }
}

/// An image of the store, with the access to it.
typealias StoredSource = (transfer: ImageTransfer, image: StoredImage)

extension GlobalOptions {
    /// The image of the store that an argument names, with the access to it; `nil` when the argument names another place.
    func storedImage(
        _ text: String, _ registries: RegistryOptions, platform: String?
    ) async throws -> StoredSource? {
        guard case .image(.store(let name)) = try ImageArgument(text) else { return nil }
        return try await stored(name, registries, try platform.map { try Platform(parsing: $0) })
    }

    /// The image of an argument with its files, and what the store knows of it if it is there.
    ///
    /// `platform` chooses among several images of one name; without it, this machine's is taken, else the first. Without
    /// `usesTables` the sums of contents can be compared with those of any other image.
    func inspected(
        _ text: String, _ registries: RegistryOptions, platform: String? = nil, usesTables: Bool = false
    ) async throws -> (image: InspectedImage, stored: StoredSource?) {
        let platform = try platform.map { try Platform(parsing: $0) }
        switch try ImageArgument(text) {
        case .image(.store(let name)):
            let (transfer, image) = try await stored(name, registries, platform)
            return (try StoreInspector(store: transfer.store).inspect(image), (transfer, image))
        case .image(let location):
            return (try await foreign(text, location, registries, platform, usesTables), nil)
        case .path(let path):
            guard let location = try await offload({ try Self.location(of: path) }) else {
                return (try await offload { try PlainDirectory.inspect(path) }, nil)
            }
            return (try await foreign(text, location, registries, platform, usesTables), nil)
        }
    }

    /// The image at a path; `nil` for a directory that is none.
    private static func location(of path: FilePath) throws -> ImageLocation? {
        guard try FileStatus(of: path).type == .directory else { return .ociArchive(path, .only) }
        guard try PlainDirectory.isImage(path) else { return nil }
        let isLayout = try Directory(opening: path).statusIfExists("index.json") != nil
        return isLayout ? .layout(path, .only) : .directory(path)
    }

    private func stored(
        _ name: String, _ registries: RegistryOptions, _ platform: Platform?
    ) async throws -> StoredSource {
        do {
            let (transfer, image) = try await inspectable(name, registries, platform: platform)
            return (transfer, image)
        } catch let error as ImagesError where error.code == .imageNotFound && platform == nil {
            throw ImagesError(
                .imageNotFound, error.message,
                hint: "See 'lamina images', pull it, or write docker://\(name) to look at it in its registry.")
        }
    }

    /// An image that is looked at where it is.
    private func foreign(
        _ text: String, _ location: ImageLocation, _ registries: RegistryOptions, _ platform: Platform?,
        _ usesTables: Bool
    ) async throws -> InspectedImage {
        let access = RegistryAccess(try registries.settings(nil, for: ""))
        let path = try storePath()
        let known = try store(.readOnly)
        let cache = FileListCache(path.appending("file-lists")) { try? known.layers.fileList($0) }
        let progress = TransferProgress(.auto, .fetch, to: .standardError)
        defer { progress.finish() }
        do {
            let reader = try await offload {
                try ImageTransports.reader(location, access) { ImageTransfer(store: known, registry: access) }
            }
            let report: @Sendable (TransferEvent) -> Void =
                if case .registry = location { { progress.show($0) } } else { { _ in } }
            return try await NetworkNotice.heard(by: { progress.show(.waiting($0)) }) {
                try await ForeignImage(reader, lists: cache, usesTables: usesTables)
                    .inspect(platform: platform, report: report)
            }
        } catch let error as any AnyFailure where error is TransportsError || error is ForeignImageError {
            throw InspectorError(
                .badImageFile, "'\(text)' cannot be analysed: \(error.message)", hint: error.hint, cause: error)
        }
    }

    /// Brings layers into the store, by their indexes, of which only the whereabouts are known.
    func fetchContent(of layers: Set<Int>, _ stored: StoredSource?, _ registries: RegistryOptions) async throws {
        guard let (transfer, image) = stored, try !transfer.hasContent(of: image, in: layers) else { return }
        let writer = try images(registries)
        try await writer.showing(.fetch) { try await writer.fetchContent(of: image, in: layers, report: $0) }
    }
}
