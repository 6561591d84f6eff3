import Diagnostics
package import Images
import Layers
import Linux
package import OCI
import Registry
package import Requests
package import Solver
import Store
import SystemPackage
import Transports
import Trees

/// Leaves the cache of a build where other stores find it.
package struct CacheWriter: Sendable {
    package let images: ImageTransfer
    package let progress: ProgressReporter

    package init(images: ImageTransfer, progress: ProgressReporter) {
        self.images = images
        self.progress = progress
    }

    /// Writes a cache to where it is wanted; an inline cache is written with its image.
    ///
    /// Replaces the cache of the same name: of several writers the last one counts, and what it
    /// imported and used is part of what it writes.
    package func write(_ selection: CacheSelection, to export: CacheExport) async throws {
        let title =
            switch export.target {
            case .inline: ""
            case .registry: "exporting cache to registry"
            case .local: "exporting cache to client directory"
            case .s3: "exporting cache to Amazon S3"
            }
        if title.isEmpty { return }
        let step = progress.begin(title)
        do {
            try await write(selection, to: export, step: step)
            step.finish(.done)
        } catch {
            guard export.ignoresErrors, !(error is CancellationError) else {
                step.finish(error)
                throw error
            }
            step.warn("the cache was not exported: \(describe(error))")
            step.finish(.done)
        }
    }

    private func write(_ selection: CacheSelection, to export: CacheExport, step: StepReporter) async throws {
        step.status("preparing build cache for export")
        var layers: [(descriptor: Descriptor, diffID: DiffID)] = []
        for stack in selection.layers {
            guard let layer = stack.top else { continue }
            layers.append((try await blob(of: stack, for: export), layer.diffID))
        }
        let names = Dictionary(
            layers.map { ($0.diffID, $0.descriptor.digest) }, uniquingKeysWith: { first, _ in first })
        let config = selection.document(blobs: names).json.encoded()
        // Two layers may be one blob.
        var seen: Set<Digest> = []
        let manifest = Manifest(
            mediaType: export.usesOCITypes ? .ociManifest : .dockerManifest,
            config: Descriptor(
                mediaType: CacheDocument.mediaType, digest: Digest(of: config), size: Int64(config.count)),
            layers: layers.map(\.descriptor).filter { seen.insert($0.digest).inserted })
        step.status("preparing build cache for export", isComplete: true)
        let package = CachePackage(manifest: manifest, config: config, layers: layers)
        switch export.target {
        case .inline: return
        case .registry(let reference, _): try await push(package, as: reference, step: step)
        case .local(let path, let tag):
            let layout = LayoutDirectory(FileSystem.absolute(path))
            try await write(package, to: layout, tag: tag, step: step)
        case .s3(let cache): try await write(package, to: cache, step: step)
        }
        step.status("writing cache manifest \(Digest(of: manifest.encoded))", isComplete: true)
    }

    /// The layer on top of a stack as a blob of the form that is asked for; it need not be in the store.
    private func blob(of stack: LayerStack, for export: CacheExport) async throws -> Descriptor {
        let compression = export.compression.compression
        let mustFetch = try await offload { [store = images.store] in
            guard export.forcesCompression, let layer = stack.top else { return false }
            return try !store.layers.sources(of: layer.diffID).contains { $0.blob.mediaType.compression == compression }
        }
        if mustFetch, let layer = stack.top, let chain = stack.chainID {
            try await images.fetcher.requireContent(chained: [(layer.diffID, chain)])
        }
        let blob = try await offload { [storage = images.storage] in
            let choice = BlobChoice(options: export.compression, isExact: export.forcesCompression)
            return try storage.blob(of: stack, as: choice, mayBeElsewhere: true)
        }
        return blob.asLayer(usingOCITypes: export.usesOCITypes, annotations: [:])
    }

    private func push(_ package: CachePackage, as reference: ImageReference, step: StepReporter) async throws {
        let store = images.store
        _ = try await offload { try store.content.save(package.config) }
        _ = try await images.push(
            package.manifest.encoded, type: package.manifest.mediaType,
            blobs: package.manifest.layers + [package.manifest.config],
            layers: package.layers.map { ($0.descriptor, $0.diffID) }, as: reference
        ) { blob, event in
            switch event {
            case .exists, .mounted, .accepted: step.status("writing layer \(blob.digest)", isComplete: true)
            case .sent(let count): step.status("writing layer \(blob.digest)", current: count, total: blob.size)
            }
        }
    }

    private func write(_ package: CachePackage, to cache: S3Cache, step: StepReporter) async throws {
        if let credentials = cache.credentials { images.registry.remember(credentials, for: cache.bucket) }
        let client = try images.registry.client(for: cache.bucket)
        let access = BlobAccess(store: images.store, registry: images.registry)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, layer) in package.layers.enumerated() {
                // As many uploads at once as BuildKit has.
                if number >= 4 { try await group.next() }
                group.addTask {
                    let blob = layer.descriptor
                    let name = "writing layer \(blob.digest)"
                    if try await !client.contains(blob) {
                        let origin = try await access.origin(of: blob, in: layer.diffID)
                        try await client.put(blob, from: origin) {
                            step.status(name, current: $0, total: blob.size)
                        }
                    }
                    step.status(name, current: blob.size, total: blob.size, isComplete: true)
                }
            }
            try await group.waitForAll()
        }
        try await client.put(package.config, as: cache.bucket.key(of: package.manifest.config.digest))
        for key in cache.keys { try await client.put(package.manifest.encoded, as: key) }
    }

    private func write(
        _ package: CachePackage, to layout: LayoutDirectory, tag: String, step: StepReporter
    ) async throws {
        let store = images.store
        let missing = try await offload {
            try layout.create()
            return try package.layers.filter { try !layout.contains($0.descriptor) }
        }
        try await images.fetcher.requireBlobs(missing.map { ($0.diffID, $0.descriptor) })
        try await offload {
            for (blob, _) in missing {
                guard let file = try store.content.open(blob.digest) else {
                    throw CachingError(.corrupt, "the store has lost the blob \(blob.digest)")
                }
                try layout.write(file, as: blob)
                step.status("writing layer \(blob.digest)", current: blob.size, total: blob.size, isComplete: true)
            }
            try layout.write(package.config)
            try layout.name(package.manifest, tag: tag)
        }
    }
}

/// A cache, ready to be written.
package struct CachePackage: Sendable {
    package let manifest: Manifest
    package let config: [UInt8]
    package let layers: [(descriptor: Descriptor, diffID: DiffID)]
}
