import Caching
import Requests
import Frontend
import Graph
import Linux
import OCI
import Store
import Trees

/// The caches that a build leaves for others.
extension Build {
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
            let keys = plan.graph.reachable(from: plan.target).compactMap { runner.keys.key(of: $0.id) }
            return try CacheSelection(
                keys, result: state, includesAll: includesAll, store: runner.store, record: runner.record(for:))
        }
    }
}
