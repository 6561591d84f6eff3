import Attestations
import Caching
import Contexts
import Diagnostics
import DockerfileSyntax
import Execution
import Frontend
import Graph
import Images
import Inspector
import Layers
import Linux
import OCI
import Records
import Requests
import Solver
import Store
import SystemPackage
import Trees

/// Writing of what comes of a build.
extension Build {
    /// Runs the exporters that the request names, in their order.
    func export(
        _ build: PlatformBuild, runner: BuildRunner
    ) async throws -> BuildProduct {
        let draft = request.makesImage ? try await draft(build, runner: runner) : nil
        var product = BuildProduct(stack: build.stack, epoch: build.plan.epoch, draft: draft)
        product.provenances = [build.provenance].compactMap(\.self)
        let outputs = request.outputs.isEmpty ? [.store(ImageSettings())] : request.outputs
        let tools = ExportTools(
            images: images, files: runner.files, layerProgress: runner.layerProgress, progress: progress)
        for output in outputs {
            try await output.exporter(request.tags)?.export(&product, with: tools)
        }
        return product
    }

    /// The image that comes of a plan, in no store yet.
    func draft(_ build: PlatformBuild, runner: BuildRunner) async throws -> ImageDraft {
        let (plan, state) = (build.plan, build.stack)
        var config = try ImageAssembly.config(plan, state)
        if request.options.changes.omitsHistory { config.history = [] }
        let layers = plan.steps.count { $0.vertex != nil }
        let isAttested = request.attestations.provenance != nil
        let draft = ImageDraft(
            config: config, baseCount: max(0, state.count - layers), stepCount: plan.steps.count,
            annotations: try await annotations(build, runner: runner),
            provenance: isAttested ? build.provenance : nil,
            listsPackages: request.attestations.listsPackages,
            attachment: request.attestations.attachment, origins: Self.origins(build))
        guard let squash = request.squash, let range = draft.range(of: squash) else { return draft }
        return try await progress.step("squashing \(range.count) layers") { [images] _ in
            draft.squashed(
                range,
                into: try await runner.files.snapshots.merged(range, of: draft.config.diffIDs, in: images.storage))
        }
    }

    /// The lines of the Dockerfile that made each layer; none for those of the base image.
    private static func origins(_ build: PlatformBuild) -> [LayerOrigin?] {
        let made = build.plan.steps.compactMap(\.vertex)
        let lines = made.map { build.plan.graph[$0].location?.lines }
        let below = [LayerOrigin?](repeating: nil, count: max(0, build.stack.count - made.count))
        return below + lines.map { $0.map { LayerOrigin(lines: $0, text: "") } }
    }

    /// Writes the caches that are asked for, but inline ones.
    func exportCaches(_ builds: [PlatformBuild], runner: BuildRunner) async throws {
        for export in request.caches.exports where export.target != .inline {
            let selection = try await selection(of: builds, includesAll: export.includesAll, runner: runner)
            try await CacheWriter(images: images, progress: progress).write(selection, to: export)
        }
    }

    /// The annotations that say what made the image, and its cache if it is to have one.
    private func annotations(_ build: PlatformBuild, runner: BuildRunner) async throws -> [String: String] {
        var annotations = request.namesBuilder ? BuildRequest.builderAnnotations : [:]
        guard request.caches.exports.contains(where: { $0.target == .inline }) else { return annotations }
        let selection = try await selection(of: [build], includesAll: false, runner: runner)
        annotations[CacheReader.annotation] = selection.document(inlineIn: build.stack.diffIDs).json.text()
        return annotations
    }

    /// The results worth passing on of builds that have one graph.
    private func selection(
        of builds: [PlatformBuild], includesAll: Bool, runner: BuildRunner
    ) async throws -> CacheSelection {
        let vertices = builds[0].plan.graph.reachable(from: builds.map(\.plan.target))
        return try await offload {
            let keys = vertices.compactMap { runner.cache.keys.key(of: $0.id) }
            return try CacheSelection(
                keys, results: builds.map(\.stack), includesAll: includesAll, store: store,
                record: runner.cache.record(for:))
        }
    }
}
