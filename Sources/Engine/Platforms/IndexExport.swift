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
import Trees

/// Takes the results of a build for several platforms to where the user wants them: the images as one index, the files
/// in a directory for each platform.
struct IndexExport: Sendable {
    let builds: [PlatformBuild]
    /// The names of the index, here and elsewhere.
    let names: [ImageReference]
    let tools: ExportTools

    /// The image of one platform that is in no store yet.
    struct Draft: Sendable {
        let config: ImageConfig
        /// The annotations of its manifest.
        let annotations: [String: String]
    }

    /// Records the images in the store as one index, and gives that its names.
    func record(_ drafts: [Draft]) async throws -> ImageRoot {
        try await tools.progress.step("exporting to image") { step in
            step.status("exporting layers")
            let root = try await offload { [images = tools.images, names] in
                let store = images.store
                let made = try drafts.map { draft in
                    let config = draft.config
                    return StoredImage(
                        id: try store.content.save(config.encoded), platform: config.platform, created: config.created,
                        diffIDs: config.diffIDs,
                        size: try config.diffIDs.clampedSum { try store.layers.approximateSize($0) },
                        annotations: draft.annotations)
                }
                return try images.record(index: made, as: names)
            }
            step.status("exporting layers", isComplete: true)
            for image in root.images {
                if let manifest = image.manifest {
                    step.status("exporting manifest \(manifest.digest)", isComplete: true)
                }
                step.status("exporting config \(image.id)", isComplete: true)
            }
            step.status("exporting manifest list \(root.descriptor.digest)", isComplete: true)
            for name in names { step.status("naming to \(name)", isComplete: true) }
            return root
        }
    }

    /// Writes an output. `root` is the index in the store, if the build made images.
    ///
    /// - Returns: the index that others see; `nil` where the output is none.
    func write(_ root: ImageRoot?, to output: BuildOutput) async throws -> Descriptor? {
        switch output {
        case .store, .none: return nil
        case .push: return try await push(required(root))
        case .oci(let path, let isArchive): return try await archive(required(root), path, isArchive: isArchive)
        case .dockerArchive:
            throw EngineError(
                .unsupported, "docker exporter does not currently support exporting manifest lists")
        case .directory(let path): try await writeFiles(to: path)
        case .tar(let path): try await writeTar(to: path)
        }
        return nil
    }

    private func required(_ root: ImageRoot?) throws -> ImageRoot {
        guard let root else { throw EngineError(.imageNotFound, "the built index is not in the store") }
        return root
    }

    // MARK: Images

    private func push(_ root: ImageRoot) async throws -> Descriptor? {
        var last: Descriptor?
        for name in names {
            last = try await tools.progress.step("pushing \(name)") { step in
                let pushed = try await tools.images.push(madeIndex: root, as: name) { event in
                    if case .waiting(let notice) = event { step.notice(notice) }
                }
                step.status("pushing manifest for \(name)@\(pushed.digest)", isComplete: true)
                return pushed
            }
        }
        return last
    }

    private func archive(_ root: ImageRoot, _ path: FilePath, isArchive: Bool) async throws -> Descriptor? {
        try await tools.progress.step("exporting to oci image format") { _ in
            for image in root.images {
                try await tools.layerProgress.session { session in
                    try await tools.images.fetcher.requireContent(image.diffIDs) { session.report($0) }
                }
            }
            return try await offload { [images = tools.images, names, epoch] in
                let archived = try root.images.map {
                    ArchivedImage(names: [], image: $0, config: try images.config(of: $0))
                }
                let created = epoch ?? archived.compactMap(\.config.created).max()
                var archive = ImageArchive(source: images, images: archived, isForDocker: false, created: created)
                archive.indexNames = names
                let written =
                    isArchive
                    ? try OutputFile.write(to: path) { [archive] in try archive.write(to: $0) }
                    : try archive.write(toDirectory: path)
                return written.first
            }
        }
    }

    private var epoch: Timestamp? { builds[0].plan.epoch.map { Timestamp(seconds: $0) } }

    // MARK: Files

    private func writeFiles(to path: FilePath) async throws {
        try await tools.progress.step("exporting to client directory") { _ in
            for build in builds {
                let export = try await files(of: build)
                let directory = path.appending(build.directoryName)
                try await offload { try export.write(toDirectory: directory) }
            }
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
