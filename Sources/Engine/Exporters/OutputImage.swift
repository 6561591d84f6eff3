import Attestations
import Diagnostics
import Images
import Inspector
import Layers
import LazyLayers
import Linux
import OCI
import Packages
import Requests
import Solver
import Store
import Trees

/// An image in the form of one output, recorded in the store.
struct OutputImage: Sendable {
    let image: StoredImage
    let config: ImageConfig
    /// The form of its manifest; `nil` for the one that the store would send.
    let form: ManifestForm?
    /// Annotations of the manifest's descriptor.
    let descriptorAnnotations: [String: String]
    /// How its index is made, if it has attestations.
    let index: IndexForm?
    /// How the artifacts that refer to it are made, if it has such.
    var referrers: ReferrerForm?
}

/// Gives an image the form that an output asks for.
struct ImageForming: Sendable {
    let draft: ImageDraft
    let settings: ImageSettings
    /// The epoch of the build.
    let epoch: Int64?
    let tools: ExportTools

    /// The time that files of new layers get; `nil` where they keep theirs.
    private var fileTime: Int64? { settings.times == .kept ? nil : settings.epoch ?? epoch }

    private var newIndices: [Int] { Array(draft.config.diffIDs.indices.dropFirst(draft.baseCount)) }

    /// The annotations of the manifest.
    var annotations: [String: String] {
        var made = draft.annotations
        // Equal layers are equal blobs only if the same program has compressed them.
        if settings.layers.isReproducible, !made.isEmpty {
            made["dev.lamina.compression"] = CompressionOptions(settings.layers.compression ?? .gzip).program
        }
        return made.merging(
            settings.annotations.map(for: .manifest, platform: draft.config.platform), uniquingKeysWith: { $1 })
    }

    var descriptorAnnotations: [String: String] {
        settings.annotations.map(for: .manifestDescriptor, platform: draft.config.platform)
    }

    /// The config, with the layers as the output has them.
    func config(_ step: StepReporter) async throws -> ImageConfig {
        var config = draft.config
        // The history of the base image is what it is.
        if let epoch = settings.epoch {
            config.setTimes(settings.times, Timestamp(seconds: epoch), ofLast: draft.stepCount)
        }
        try await setTimes(of: &config, step)
        try await setFormat(of: &config, step)
        return config
    }

    /// Makes layers in the format eStargz, which are other ones.
    private func setFormat(of config: inout ImageConfig, _ step: StepReporter) async throws {
        guard settings.layers.format == .estargz else { return }
        let label = "converting layers to estargz"
        step.status(label)
        let diffIDs = config.diffIDs
        let indices = settings.layers.isForced ? Array(diffIDs.indices) : newIndices
        try await fetch(indices, of: diffIDs)
        let made = try await offload { [storage = tools.images.storage, layers = settings.layers] in
            let plan = try PrefetchPlan(
                layers.prefetch,
                in: layers.prefetch.isEmpty ? indices.map { _ in [] } : storage.files(of: diffIDs, indices))
            let stacks = LayerStack(ofImage: diffIDs).parts(above: 0)
            return try zip(indices, plan.paths).map { index, paths in
                try storage.makeEStargz(of: stacks[index], prefetching: paths, level: layers.level)
            }
        }
        for (index, diffID) in zip(indices, made) { config.diffIDs[index] = diffID }
        step.status(label, isComplete: true)
    }

    /// Makes layers whose files have the times of the output.
    private func setTimes(of config: inout ImageConfig, _ step: StepReporter) async throws {
        guard settings.times != .kept else { return }
        guard let epoch = fileTime else {
            step.warn("rewrite-timestamp is given, but no SOURCE_DATE_EPOCH: the times of files stay")
            return
        }
        let label = "rewriting layers with source-date-epoch \(epoch)"
        step.status(label)
        let (diffIDs, indices) = (config.diffIDs, newIndices)
        try await fetch(indices, of: diffIDs)
        let clamped = try await offload { [storage = tools.images.storage] in
            let stacks = LayerStack(ofImage: diffIDs).parts(above: 0)
            return try indices.map {
                try storage.setTimes(of: stacks[$0], to: epoch, onlyYounger: settings.times == .clamped)
            }
        }
        for (index, diffID) in zip(indices, clamped) { config.diffIDs[index] = diffID }
        step.status(label, isComplete: true)
    }

    /// How the manifest is made; `nil` where the store may do as it likes.
    func form() -> ManifestForm? {
        guard !settings.isPlain || draft.isAttested else { return nil }
        var form = ManifestForm()
        form.usesOCITypes = settings.usesOCITypes
        form.annotations = annotations
        if settings.times == .clamped, let fileTime {
            form.layerAnnotations = ["buildkit/rewritten-timestamp": "\(fileTime)"]
        }
        form.baseCount = draft.baseCount
        let layers = settings.layers
        form.compression = CompressionOptions(layers.compression ?? .gzip, level: layers.level)
        form.format = layers.format
        form.isExact = layers.compression != nil
        // Of a blob that is there the level is not known.
        form.isFresh = layers.isReproducible || layers.level != nil
        form.includesBase = layers.isForced
        return form
    }

    /// How the index is made of an image with these names; `nil` for an image without attestations in one.
    func index(names: [ImageReference], _ packages: BillOfMaterials?) -> IndexForm? {
        guard draft.isAttested, draft.attachment == .index else { return nil }
        let statements = statements(names: names, packages)
        let isArtifact = settings.attestsWithArtifacts ?? true
        return IndexForm(
            annotations: settings.annotations.map(for: .index),
            descriptorAnnotations: settings.annotations.map(for: .indexDescriptor)
        ) { image, manifest in
            let made = AttestationManifest(statements(image, manifest), about: image, isArtifact: isArtifact)
            return AttachedManifest(
                descriptor: made.descriptor(about: image), bytes: made.bytes, blobs: made.blobs)
        }
    }

    /// How artifacts about an image with these names are made; `nil` for an image without such.
    func referrers(names: [ImageReference], _ packages: BillOfMaterials?) -> ReferrerForm? {
        guard draft.isAttested, draft.attachment == .referrer else { return nil }
        let statements = statements(names: names, packages)
        return ReferrerForm { image, manifest in
            statements(image, manifest).map { statement in
                let made = AttestationManifest(statement, referringTo: image)
                return Referrer(
                    manifest: AttachedManifest(
                        descriptor: made.descriptor(of: statement), bytes: made.bytes, blobs: made.blobs),
                    artifactType: AttestationManifest.statementType)
            }
        }
    }

    /// Makes the statements about an image, by its manifest.
    private func statements(
        names: [ImageReference], _ packages: BillOfMaterials?
    ) -> @Sendable (Descriptor, Manifest) -> [Statement] {
        let provenance = draft.provenance
        let platform = draft.config.platform
        return { image, manifest in
            let subjects = Statement.subjects(of: image, names: names, platform: platform)
            var statements: [Statement] = []
            if let packages {
                statements.append(
                    Statement(
                        predicateType: BillOfMaterials.spdxPredicateType, subjects: subjects, predicate: packages.spdx))
            }
            if var provenance {
                provenance.layers = manifest.layers
                statements.append(
                    Statement(
                        predicateType: provenance.predicateType, subjects: subjects, predicate: provenance.json))
            }
            return statements
        }
    }

    /// The packages of the image, if they are to be listed. Its layers are brought here for that.
    func packages(of config: ImageConfig, as names: [ImageReference], _ step: StepReporter) async throws
        -> BillOfMaterials?
    {
        guard draft.listsPackages else { return nil }
        let label = "listing packages"
        step.status(label)
        try await fetch(Array(config.diffIDs.indices), of: config.diffIDs)
        let name = names.first?.familiar ?? "image"
        let bill = try await offload { [store = tools.images.store, origins = draft.origins] in
            let id = try store.content.save(config.encoded)
            let image = StoredImage(
                id: id, platform: config.platform, created: config.created, diffIDs: config.diffIDs, size: 0)
            return try SoftwareScan(try StoreInspector(store: store).inspect(image)).bill(
                named: name, of: id, created: config.created ?? Timestamp(seconds: 0),
                tool: ("lamina", Version.current), origins: origins)
        }
        step.status(label, isComplete: true)
        return bill
    }

    /// Makes sure that layers of a stack are here, whatever form they have.
    func fetch(_ indices: [Int], of diffIDs: [DiffID]) async throws {
        guard !indices.isEmpty else { return }
        try await tools.layerProgress.session { session in
            try await tools.images.fetcher.requireContent(diffIDs, only: indices) { session.report($0) }
        }
    }
}

extension ImageConfig {
    /// Gives the image, and the last entries of its history, a time: those that are younger or, replaced, all.
    fileprivate mutating func setTimes(_ times: FileTimes, _ time: Timestamp, ofLast count: Int) {
        func changed(_ old: Timestamp?) -> Timestamp? { times == .replaced ? time : old.map { min($0, time) } }
        created = changed(created)
        for index in history.indices.suffix(count) { history[index].created = changed(history[index].created) }
    }
}
