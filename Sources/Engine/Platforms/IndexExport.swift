import Contexts
import Diagnostics
import Frontend
import Images
import Linux
import OCI
import Requests
import Solver
import Store
import SystemPackage
import Transports
import Trees

/// Takes the results of a build for several platforms to where the user wants them: the images as one index, the files
/// in a directory for each platform.
struct IndexExport: Sendable {
    let builds: [PlatformBuild]
    /// The result for each platform, in the order of the builds.
    private var products: [BuildProduct]
    let tools: ExportTools

    init(builds: [PlatformBuild], products: [BuildProduct], tools: ExportTools) {
        self.builds = builds
        self.products = products
        self.tools = tools
    }

    /// The images of all platforms in the form of one output, and their index.
    private struct Recorded {
        let root: ImageRoot
        let images: [OutputImage]
    }

    /// Writes an output, and adds to the product what came of that.
    mutating func write(
        _ output: BuildOutput, names: [ImageReference], to product: inout BuildProduct
    ) async throws {
        switch output {
        case .none: return
        case .store(let settings):
            _ = try await record(settings, names, isKept: true, in: &product)
        case .push(let settings): try await push(settings, names, &product)
        case .oci(let path, let isArchive, let settings):
            try await archive(settings, names, path, isArchive: isArchive, &product)
        case .dockerArchive:
            throw EngineError(.unsupported, "docker exporter does not currently support exporting manifest lists")
        case .directory(let path, let deletesOthers):
            try await writeFiles(to: path, deletesOthers: deletesOthers)
        case .tar(let path): try await writeTar(to: path)
        }
    }

    // MARK: Images

    /// Records the images in the store, and their index with its names.
    private mutating func record(
        _ settings: ImageSettings, _ names: [ImageReference], isKept: Bool, in product: inout BuildProduct
    ) async throws -> Recorded {
        var own = settings
        own.naming = ImageNaming()
        own.names = []
        // The names are those of the index; attestations of each image are about them, too.
        let subjects = isAttested ? names : []
        let exporter = ImageExporter(settings: own, names: subjects, keepsManifest: isKept, isPartOfIndex: true)
        var outputs: [OutputImage] = []
        for position in products.indices {
            outputs.append(try await exporter.record(&products[position], with: tools))
        }
        // An archive takes no name from the index of an output before it.
        let takesNames = isKept || product.index == nil
        let root = try await tools.progress.step("exporting manifest list") { [outputs, tools] step in
            let isWhole = isKept && outputs.contains { $0.form != nil }
            let root = try await offload {
                try Self.record(
                    outputs, settings, names, takesNames: takesNames, isWhole: isWhole, in: tools.images)
            }
            step.status("exporting manifest list \(root.descriptor.digest)", isComplete: true)
            for name in names where takesNames && name.tag != nil { step.status("naming to \(name)", isComplete: true) }
            return root
        }
        product.index = root
        product.image = root.defaultImage
        return Recorded(root: root, images: outputs)
    }

    private static func record(
        _ outputs: [OutputImage], _ settings: ImageSettings, _ names: [ImageReference], takesNames: Bool,
        isWhole: Bool, in images: ImageTransfer
    ) throws -> ImageRoot {
        // The manifests in the store are those that attestations are about only if a push may send them.
        let entries = outputs.map { output in
            IndexedImage(
                output.image, annotations: output.descriptorAnnotations, attachments: isWhole ? output.index : nil)
        }
        let root = try images.record(
            index: entries, annotations: settings.annotations.map(for: .index), usesOCITypes: settings.usesOCITypes,
            isWhole: isWhole, as: takesNames ? names.filter { $0.tag != nil } : [])
        if let image = root.defaultImage {
            for name in settings.naming.names(besides: names) {
                _ = try images.store.images.tag(name.with(tag: nil, digest: root.descriptor.digest), image)
            }
        }
        return root
    }

    private mutating func push(
        _ settings: ImageSettings, _ names: [ImageReference], _ product: inout BuildProduct
    ) async throws {
        let names = BuildOutput.unique(names + settings.names)
        let recorded = try await record(settings, names, isKept: true, in: &product)
        for name in names {
            product.manifest = try await tools.progress.step("pushing \(name)") { [tools] step in
                let isTagged = !settings.naming.isPushedByDigest
                let pushed = try await tools.images.push(
                    index: recorded.root, as: name, isTagged: isTagged
                ) { event in
                    if case .waiting(let notice) = event { step.notice(notice) }
                }
                step.status("pushing manifest for \(name)@\(pushed.digest)", isComplete: true)
                for output in recorded.images { try await output.pushReferrers(to: name, step, with: tools) }
                return pushed
            }
        }
    }

    private mutating func archive(
        _ settings: ImageSettings, _ names: [ImageReference], _ path: FilePath, isArchive: Bool,
        _ product: inout BuildProduct
    ) async throws {
        let names = BuildOutput.unique(names + settings.names)
        let recorded = try await record(settings, names, isKept: false, in: &product)
        product.manifest = try await tools.progress.step("exporting to oci image format") { [tools, epoch] _ in
            for output in recorded.images {
                try await tools.layerProgress.session { session in
                    try await tools.images.fetcher.requireContent(output.image.diffIDs) { session.report($0) }
                }
            }
            return try await offload {
                let archived = recorded.images.map {
                    ArchivedImage(
                        names: [], image: $0.image, config: $0.config, form: $0.form,
                        annotations: $0.descriptorAnnotations, index: $0.index, referrers: $0.referrers)
                }
                let created = epoch ?? archived.compactMap(\.config.created).max()
                var archive = ImageArchive(
                    source: tools.images, images: archived, isForDocker: false, created: created)
                archive.index = ImageArchive.SharedIndex(
                    names: names, annotations: settings.annotations.map(for: .index),
                    descriptorAnnotations: settings.annotations.map(for: .indexDescriptor),
                    usesOCITypes: settings.usesOCITypes)
                let written =
                    isArchive
                    ? try OutputFile.write(to: path) { [archive] in try archive.write(to: $0) }
                    : try archive.write(toDirectory: path)
                return written.first
            }
        }
    }

    private var isAttested: Bool { products.contains { $0.draft?.isAttested == true } }

    private var epoch: Timestamp? { builds[0].plan.epoch.map { Timestamp(seconds: $0) } }

    // MARK: Files

    private func writeFiles(to path: FilePath, deletesOthers: Bool) async throws {
        try await tools.progress.step("exporting to client directory") { _ in
            if deletesOthers { try await offload { try FileExport.checkDeletion(in: path) } }
            for build in builds {
                let export = try await files(of: build)
                let directory = path.appending(build.directoryName)
                try await offload { try export.write(toDirectory: directory, deletesOthers: deletesOthers) }
            }
            guard deletesOthers else { return }
            let names = Set(builds.map { PathBytes($0.directoryName) })
            try await offload { try FileExport.removeOthers(in: path, keeping: names) }
        }
    }

    private func writeTar(to path: FilePath) async throws {
        try await tools.progress.step("exporting to client tarball") { _ in
            var parts: [(directory: PathBytes, files: FileExport)] = []
            for build in builds { parts.append((PathBytes(build.directoryName), try await files(of: build))) }
            try await offload { [parts] in
                try OutputFile.write(to: path) { try FileExport.writeTar(of: parts, to: $0) }
            }
        }
    }

    private func files(of build: PlatformBuild) async throws -> FileExport {
        FileExport(tree: try await tools.files.tree(of: build.stack), epoch: build.plan.epoch)
    }
}
