import Diagnostics
import Frontend
import OCI
import Store
import Trees

/// Puts the config of a built image together from what was planned and what came out.
enum ImageAssembly {
    /// The config with history and layers.
    ///
    /// The creation time is that of the last step, not of the export, so that a build whose steps are all cached gives
    /// the very same image. Throws ``EngineError`` `.corrupt` when steps and layers do not fit together.
    static func config(_ plan: BuildPlan, _ state: LayerStack) throws -> ImageConfig {
        var config = plan.config
        let baseCount = state.count - plan.steps.count { $0.vertex != nil }
        guard baseCount >= 0 else {
            throw EngineError(.corrupt, "the build made \(state.count) layers, fewer than its steps say")
        }
        let layers = state.layers
        config.diffIDs = layers.map(\.diffID)
        var times: [Timestamp?] = []
        var layer = baseCount
        for step in plan.steps {
            if step.vertex != nil {
                times.append(plan.epoch.map { Timestamp(seconds: $0) } ?? layers[layer].created)
                layer += 1
            } else {
                times.append(nil)
            }
        }
        fill(&times, epoch: plan.epoch, before: config.history.last?.created)
        for (step, time) in zip(plan.steps, times) {
            config.history.append(
                History(
                    created: time, createdBy: step.createdBy, comment: step.comment, emptyLayer: step.vertex == nil))
        }
        config.created = config.history.last { $0.created != nil }?.created
        return config
    }

    /// A step without a layer happened when the next one with a layer did, or else when the last one did.
    private static func fill(_ times: inout [Timestamp?], epoch: Int64?, before: Timestamp?) {
        if let epoch {
            for index in times.indices { times[index] = Timestamp(seconds: epoch) }
            return
        }
        var next: Timestamp?
        for index in times.indices.reversed() {
            if let time = times[index] { next = time } else { times[index] = next }
        }
        var last = before ?? Timestamp.now
        for index in times.indices {
            if let time = times[index] { last = time } else { times[index] = last }
        }
    }
}
