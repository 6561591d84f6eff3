import Attestations
import OCI
import Requests

extension ImageDraft {
    /// The layers to put together; `nil` where there is one at most.
    func range(of squash: Squash) -> Range<Int>? {
        let range = (squash == .allLayers ? 0 : baseCount)..<config.diffIDs.count
        return range.count > 1 ? range : nil
    }

    /// The image with one layer in the place of those that it was made of, which are the topmost.
    ///
    /// The history keeps the entries of their steps, as ones that made no layer.
    func squashed(_ layers: Range<Int>, into layer: DiffID) -> ImageDraft {
        var config = config
        config.diffIDs.replaceSubrange(layers, with: [layer])
        if !config.history.isEmpty {
            let made = config.history.indices.filter { !config.history[$0].emptyLayer }
            for index in made.suffix(layers.count) { config.history[index].emptyLayer = true }
            config.history.append(
                History(created: config.created, createdBy: "squash", comment: "lamina", emptyLayer: false))
        }
        // No layer is the result of one step.
        let provenance = provenance.map { provenance in
            var provenance = provenance
            provenance.steps = provenance.steps.map { Provenance.Step(lines: $0.lines, layerCount: 0) }
            return provenance
        }
        return ImageDraft(
            config: config, baseCount: layers.lowerBound, stepCount: stepCount + 1, annotations: annotations,
            provenance: provenance, listsPackages: listsPackages, attachment: attachment,
            origins: Array(origins.prefix(layers.lowerBound)) + [nil])
    }
}
