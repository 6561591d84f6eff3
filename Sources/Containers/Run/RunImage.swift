import Diagnostics
import Execution
import Images
import Linux
import OCI
import Registry
import Requests
import Solver
import Store
import Transports

/// Finds the image of a command, or gets it.
struct RunImage: Sendable {
    let request: RunRequest
    let images: ImageTransfer
    let isolation: StepIsolation

    private var store: StoreRoot { images.store }

    /// The image of the store, else that of a registry, else what Lamina brings along.
    func find(_ listener: @escaping @Sendable (String) -> Void) async throws -> StoredImage {
        @Sendable func report(_ line: String) {
            if !request.isPulledQuietly { listener(line) }
        }
        let platform = request.platform ?? .host
        var known = try await offload { [request, store] in try store.images.lookup(request.image) }
        let name: ImageName
        do { name = try ImageName(parsing: request.image) } catch {
            if let known { return try await checked(known) }
            throw ContainersError(
                .imageNotFound, "No such image: \(request.image)", hint: "See 'lamina images'.", cause: error)
        }
        // What is named by its ID is no name that a registry knows.
        let isName = try await offload { [store] in try store.images.root(named: name.reference) != nil }
        if let known, !isName { return try await checked(known) }
        let reference = try await reference(for: name)
        if reference != name.reference {
            known = try await offload { [store] in try store.images.image(named: reference) }
        }
        return try await find(reference, for: platform, known: known, report)
    }

    /// The image of a name in the store, where it is `known` for some platform, else that of a registry, else the one that
    /// Lamina brings along.
    private func find(
        _ reference: ImageReference, for platform: Platform, known: StoredImage?,
        _ report: @escaping @Sendable (String) -> Void
    ) async throws -> StoredImage {
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
            return try await images.pull(reference, platform: platform, unpacker: unpacker(report)) { event in
                if case .layerDone(let layer) = event { report(Self.line(layer)) }
            }
        } catch let error as RegistryError {
            guard request.pull == .newer, let known else { throw error }
            return known
        }
    }

    private static func line(_ layer: Descriptor) -> String { "\(layer.digest): Pull complete" }

    /// Unpacks the layers of the image for its command while they arrive; `nil` where the command gets a copy of their
    /// files.
    private func unpacker(_ report: @escaping @Sendable (String) -> Void) async throws -> SnapshotUnpacker? {
        guard try await offload({ [isolation] in try !isolation.copiesFiles(ofLayers: 1) }) else { return nil }
        let progress = LayerProgress(ProgressReporter { _ in }) { event in
            if case .fetched(_, let layer) = event { report(Self.line(layer)) }
        }
        return isolation.unpacker(of: images, progress: progress)
    }

    /// The image that a name stands for.
    private func reference(for name: ImageName) async throws -> ImageReference {
        let meanings = try await offload { [images, request] in
            try images.meanings(of: name) {
                try request.pull.accepts($0) && images.store.images.root(named: $0) != nil
            }
        }
        guard meanings.count > 1, request.pull != .never else { return meanings[0] }
        return try await images.registry.client.reference(for: name)
    }

    /// The image that an ID names, on the platform that is asked for.
    private func checked(_ known: StoredImage) async throws -> StoredImage {
        guard request.platform != nil else { return known }
        return try await offload { [images, request] in
            try images.image(request.image, platform: request.platform)
        }
    }
}
