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

extension GlobalOptions {
    /// The image of an argument with its files, and what the store knows of it if it is there.
    func inspected(
        _ text: String, _ registries: RegistryOptions
    ) async throws -> (image: InspectedImage, stored: (transfer: ImageTransfer, image: StoredImage)?) {
        switch ImageArgument(text) {
        case .file(let file): return (try file.inspect(platform: .host), nil)
        case .stored(let name):
            let (transfer, image) = try await inspectable(name, registries)
            return (try StoreInspector(store: transfer.store).inspect(image), (transfer, image))
        }
    }
}
