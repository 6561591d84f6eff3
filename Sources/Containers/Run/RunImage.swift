import Diagnostics
import Images
import Linux
import OCI
import Registry
import Requests
import Store
import Transports

/// Finds the image of a command, or gets it.
struct RunImage: Sendable {
    let request: RunRequest
    let images: ImageTransfer

    private var store: StoreRoot { images.store }

    /// The image of the store, else that of a registry, else what Lamina brings along.
    func find(_ report: @escaping @Sendable (String) -> Void) async throws -> StoredImage {
        let platform = request.platform ?? .host
        let known = try await offload { [request, store] in try store.images.lookup(request.image) }
        let reference: ImageReference
        do { reference = try ImageReference(parsing: request.image) } catch {
            if let known { return try await checked(known) }
            throw ContainersError(
                .imageNotFound, "No such image: \(request.image)", hint: "See 'lamina images'.", cause: error)
        }
        // What is named by its ID is no name that a registry knows.
        let named = try await offload { [store] in try store.images.root(named: reference) }
        if let known, named == nil { return try await checked(known) }
        let stored = try await offload { [images, request] () -> StoredImage? in
            if let image = try images.stored(reference, for: platform) { return image }
            // What is for other machines only runs as far as these are emulated.
            let isOther = try request.platform == nil && images.hasNothing(for: platform, named: reference)
            return isOther ? known : nil
        }
        if let stored, request.pull.accepts(reference) { return stored }
        if reference == EmbeddedBase.reference {
            try EmbeddedBase.requireSupport(for: platform)
            return try await offload { [images] in try EmbeddedBase(images: images).install() }
        }
        try request.pull.allow(reference)
        if known == nil { report("Unable to find image '\(reference.familiar)' locally") }
        do {
            return try await images.pull(reference, platform: platform) { event in
                if case .layerDone(let layer) = event { report("\(layer.digest): Pull complete") }
            }
        } catch let error as RegistryError {
            guard request.pull == .newer, let known else { throw error }
            return known
        }
    }

    /// The image that an ID names, on the platform that is asked for.
    private func checked(_ known: StoredImage) async throws -> StoredImage {
        guard request.platform != nil else { return known }
        return try await offload { [images, request] in
            try images.image(request.image, platform: request.platform)
        }
    }
}
