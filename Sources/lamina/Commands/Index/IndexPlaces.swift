import Diagnostics
import Images
import Linux
import OCI
import Registry
import Transports

/// Opens the indexes and images that a command names.
struct IndexPlaces: Sendable {
    let global: GlobalOptions
    let registry: RegistryAccess

    private func images() throws -> ImageTransfer { ImageTransfer(store: try global.store(), registry: registry) }

    func reader(_ location: ImageLocation) async throws -> any ImageReader {
        try await offload { try ImageTransports.reader(location, registry) { try images() } }
    }

    func writer(_ location: ImageLocation) throws -> any ImageWriter {
        try ImageTransports.writer(location, registry, leavesLayers: true) { try images() }
    }

    /// The image of a name: a plain one means the image of the store if there is one, else the one in its registry.
    func source(_ text: String) async throws -> any ImageReader {
        let location = try ImageLocation(parsing: text)
        guard case .store(let name) = location, !text.hasPrefix("lamina:") else { return try await reader(location) }
        do { return try await reader(location) } catch let error as ImagesError where error.code == .imageNotFound {
            guard let name = try? ImageName(parsing: name) else { throw error }
            return try await reader(.registry(registry.client.reference(for: name)))
        }
    }

    /// An index that is to be changed where it is.
    func target(_ location: ImageLocation) async throws -> any ImageReader {
        do { return try await reader(location) } catch let error as ImagesError where error.code == .imageNotFound {
            throw ImagesError(
                error.code, error.message, hint: "Write docker://\(location) for an index in a registry.")
        }
    }

    /// The document that is at a place now; `nil` if there is none.
    func former(_ location: ImageLocation) async throws -> ImageDocument? {
        do { return try await reader(location).root() } catch let error as any AnyFailure {
            let codes = [
                RegistryCode.notFound.rawValue, ImagesCode.imageNotFound.rawValue, LinuxCode.notFound.rawValue,
            ]
            guard codes.contains(error.codeName) else { throw error }
            return nil
        }
    }

    /// Writes an index to a place, with all that it names.
    func write(
        _ assembly: IndexAssembly, to location: ImageLocation, _ messages: CopyMessages
    ) async throws -> Descriptor {
        let reader = try assembly.reader()
        var copy = ImageCopy()
        copy.requiresAll = true
        return try await copy.run(from: reader, to: try writer(location)) { messages.show($0) }
    }
}

extension GlobalOptions {
    /// Runs `body` with access to registries and the store; `login` is for the registry of the index.
    func withIndexes<Value: Sendable>(
        _ registries: RegistryOptions, _ login: LoginOption, for location: ImageLocation,
        _ body: (IndexPlaces) async throws -> Value
    ) async throws -> Value {
        var reference = ImageReference(registry: "", repository: "", tag: nil)
        switch location {
        case .registry(let name): reference = name
        case .store(let text): reference = (try? ImageReference(parsing: text)) ?? reference
        default: break
        }
        return try await registries.access(login, for: reference) { registry in
            try await body(IndexPlaces(global: self, registry: registry))
        }
    }
}
