import Caching
import Contexts
import Diagnostics
import DockerfileSyntax
import Execution
import Frontend
import Graph
import Images
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
    /// Runs the exporters that the request names.
    func export(
        _ plan: BuildPlan, _ state: LayerStack, runner: BuildRunner, epoch: Int64?
    ) async throws -> BuildProduct {
        var product = BuildProduct(stack: state, names: request.tags, epoch: epoch)
        if request.outputs.contains(.none) { return product }
        var exporters = request.outputs.compactMap(\.exporter)
        if request.makesImage {
            var config = try ImageAssembly.config(plan, state)
            if request.options.changes.omitsHistory { config.history = [] }
            let image = ImageExporter(
                config: config,
                annotations: try await annotations(plan, state, runner: runner))
            exporters.insert(image, at: 0)
        }
        let tools = ExportTools(
            images: images, files: runner.files, layerProgress: runner.layerProgress, progress: progress)
        for exporter in exporters { try await exporter.export(&product, with: tools) }
        return product
    }

    /// Writes the caches that are asked for, but inline ones.
    func exportCaches(_ plan: BuildPlan, _ state: LayerStack, runner: BuildRunner) async throws {
        for export in request.caches.exports where export.target != .inline {
            let selection = try await selection(plan, state, includesAll: export.includesAll, runner: runner)
            try await CacheWriter(images: images, progress: progress).write(selection, to: export)
        }
    }

    /// The annotations of the image's manifest, among them its cache if it is to have one.
    func annotations(
        _ plan: BuildPlan, _ state: LayerStack, runner: BuildRunner
    ) async throws -> [String: String] {
        var annotations = request.annotations
        guard request.caches.exports.contains(where: { $0.target == .inline }) else { return annotations }
        let selection = try await selection(plan, state, includesAll: false, runner: runner)
        annotations[CacheReader.annotation] = selection.document(inlineIn: state.diffIDs).json.text()
        return annotations
    }

    private func selection(
        _ plan: BuildPlan, _ state: LayerStack, includesAll: Bool, runner: BuildRunner
    ) async throws -> CacheSelection {
        try await offload {
            let keys = plan.graph.reachable(from: plan.target).compactMap { runner.cache.keys.key(of: $0.id) }
            return try CacheSelection(
                keys, result: state, includesAll: includesAll, store: store, record: runner.cache.record(for:))
        }
    }
}
