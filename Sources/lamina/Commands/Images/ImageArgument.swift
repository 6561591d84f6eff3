import Diagnostics
import Engine
import Images
import Inspector
import OCI
import Store
import SystemPackage

/// The image that an argument names: one of the store, or one in a file of this machine.
enum ImageArgument: Hashable, Sendable {
    case stored(String)
    case file(ImageFile)

    /// Prefixes as skopeo and dive have them.
    private static let prefixes = ["docker-archive:", "oci-archive:", "oci-layout:", "oci:", "docker-tar:"]

    /// Paths begin with `/`, `./` or `../`, or come after a prefix such as `docker-archive:`; then `:TAG` may follow.
    init(_ text: String) {
        if ["/", "./", "../"].contains(where: text.hasPrefix) {
            self = .file(ImageFile(FilePath(text)))
            return
        }
        guard let prefix = Self.prefixes.first(where: text.hasPrefix) else {
            self = .stored(text)
            return
        }
        var path = text.dropFirst(prefix.count)
        if path.hasPrefix("//") { path = path.dropFirst(2) }
        guard let colon = path.firstIndex(of: ":") else {
            self = .file(ImageFile(FilePath(String(path))))
            return
        }
        let tag = path[path.index(after: colon)...]
        self = .file(ImageFile(FilePath(String(path[..<colon])), tag: tag.isEmpty ? nil : String(tag)))
    }
}

/// An image of the store, with the access to it.
typealias StoredSource = (transfer: ImageTransfer, image: StoredImage)

extension GlobalOptions {
    /// The image of an argument with its files, and what the store knows of it if it is there.
    ///
    /// `platform` chooses among several images of one name; without it, this machine's is taken, else the first.
    func inspected(
        _ text: String, _ registries: RegistryOptions, platform: String? = nil
    ) async throws -> (image: InspectedImage, stored: StoredSource?) {
        let platform = try platform.map { try Platform(parsing: $0) }
        switch ImageArgument(text) {
        case .file(let file):
            let image = try file.inspect(platform: platform ?? .host)
            if let platform, image.config.platform.distance(from: platform) == nil {
                throw Self.noImage(text, platform)
            }
            return (image, nil)
        case .stored(let name):
            let (transfer, image) = try await inspectable(name, registries, platform: platform)
            return (try StoreInspector(store: transfer.store).inspect(image), (transfer, image))
        }
    }

    private static func noImage(_ name: String, _ platform: Platform) -> ImagesError {
        ImagesError(
            .imageNotFound, "'\(name)' has no image for \(platform)",
            hint: "Pull it with --platform, or leave the option out to see the one that is there.")
    }

    /// Brings layers into the store, by their indexes, of which only the whereabouts are known.
    func fetchContent(of layers: Set<Int>, _ stored: StoredSource?, _ registries: RegistryOptions) async throws {
        guard let (transfer, image) = stored, try !transfer.hasContent(of: image, in: layers) else { return }
        let writer = try images(registries)
        try await writer.showing(.fetch) { try await writer.fetchContent(of: image, in: layers, report: $0) }
    }
}
