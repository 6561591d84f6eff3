package import OCI

/// How an image was made, as `docker history` tells it.
package struct ImageHistory: Hashable, Sendable {
    /// A step, or a layer that no step accounts for.
    package struct Row: Hashable, Sendable {
        /// The image's own on the newest row; of the others no image is known.
        package let id: Digest?
        package let created: Timestamp?
        package let createdBy: String
        package let comment: String
        /// The contents of the layer's files in bytes; 0 when the step made no layer.
        package let size: Int64
        /// The layer; `nil` when the step made none.
        package let diffID: DiffID?

        /// The text of ``id`` in tables: all of it or its first 12 digits, or `<missing>`.
        package func idText(full: Bool) -> String {
            guard let id else { return "<missing>" }
            return full ? id.description : id.short
        }
    }

    /// Newest first.
    package let rows: [Row]

    /// Joins the steps with the layers they made.
    ///
    /// Where an image contradicts itself, steps that should have made more layers than there are count as empty, and
    /// layers beyond the last step get rows that tell nothing else. `layerSizes` are the content sizes of the layers,
    /// bottom first; layers beyond them have size 0.
    package init(id: Digest, config: ImageConfig, layerSizes: [Int64]) {
        let layers = Self.layers(of: config.history, count: config.diffIDs.count)
        let accounted = layers.count { $0 != nil }
        let steps = zip(config.history, layers).map { (step: Optional($0), layer: $1) }
        let others = (accounted..<config.diffIDs.count).map { (step: History?.none, layer: Optional($0)) }
        let all = steps + others
        rows = all.indices.reversed().map { position in
            let (step, layer) = all[position]
            return Row(
                id: position == all.count - 1 ? id : nil, created: step?.created, createdBy: step?.createdBy ?? "",
                comment: step?.comment ?? "",
                size: layer.flatMap { $0 < layerSizes.count ? layerSizes[$0] : nil } ?? 0,
                diffID: layer.map { config.diffIDs[$0] })
        }
    }

    /// For each step the index of the layer it made, as far as there are layers.
    private static func layers(of history: [History], count: Int) -> [Int?] {
        var next = 0
        return history.map { step in
            guard !step.emptyLayer, next < count else { return nil }
            next += 1
            return next - 1
        }
    }

    /// For each layer of an image, bottom first, the command that made it; `nil` where the history does not tell.
    package static func commands(of config: ImageConfig) -> [String?] {
        var commands = [String?](repeating: nil, count: config.diffIDs.count)
        for (step, layer) in zip(config.history, layers(of: config.history, count: config.diffIDs.count)) {
            guard let layer, !step.createdBy.isEmpty else { continue }
            commands[layer] = step.createdBy
        }
        return commands
    }
}
