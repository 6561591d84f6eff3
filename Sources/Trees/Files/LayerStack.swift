package import OCI

/// A stack of layers, bottom first.
package struct LayerStack: Hashable, Sendable {
    package struct Layer: Hashable, Sendable {
        package let diffID: DiffID
        /// The time at which this build or a former one made it; `nil` for a layer of a base image.
        package let created: Timestamp?

        package init(diffID: DiffID, created: Timestamp?) {
            self.diffID = diffID
            self.created = created
        }
    }

    package var layers: [Layer] = []

    package init(layers: [Layer] = []) {
        self.layers = layers
    }

    package var diffIDs: [DiffID] { layers.map(\.diffID) }
    package var chainID: ChainID? { ChainID.of(diffIDs) }

    package func adding(_ diffID: DiffID, created: Timestamp) -> LayerStack {
        LayerStack(layers: layers + [Layer(diffID: diffID, created: created)])
    }
}

extension LayerStack {
    /// The state as the text of a cache record.
    package var encoded: String {
        JSON.array(
            layers.map { layer in
                .object(
                    ("diffID", .string(layer.diffID.description)),
                    ("created", layer.created.map { .string($0.description) }))
            }
        ).text()
    }

    /// Reads what ``encoded`` gives; `nil` when it is anything else.
    package init?(decoding text: String) {
        guard let items = try? JSON(parsing: text).array else { return nil }
        for item in items {
            guard let name = item["diffID"]?.string, let diffID = try? DiffID(parsing: name) else { return nil }
            let created = item["created"]?.string.flatMap(Timestamp.init(parsing:))
            layers.append(Layer(diffID: diffID, created: created))
        }
    }
}
