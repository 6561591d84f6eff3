package import OCI
package import Store
import Trees

/// The results of a build that are worth passing on.
package struct CacheSelection: Sendable {
    package struct Item: Sendable {
        package let record: CacheRecord
        package let state: LayerStack
        /// All keys under which the store has this result.
        package let keys: [Digest]
    }

    /// In the order of the graph.
    package let items: [Item]

    /// More keys of one result, e.g. of contexts of long ago, are of little use.
    private static let keyLimit = 8

    /// The results of all steps that a build needed or, unless `includesAll`, of those that its results consist of: one
    /// for each platform.
    ///
    /// `keys` are the definition keys of the steps, in the order of the graph; `record` finds the record of a key.
    package init(
        _ keys: [Digest], results: [LayerStack], includesAll: Bool, store: StoreRoot,
        record: (Digest) throws -> CacheRecord?
    ) throws {
        var stacks: Set<LayerStack> = []
        for result in results where !includesAll {
            var next: LayerStack? = result
            while let stack = next, stacks.insert(stack).inserted { next = stack.below }
        }
        var found: [CacheRecord] = []
        var seen: Set<Digest> = []
        for key in keys {
            guard seen.insert(key).inserted, let record = try record(key),
                CacheDocument.kinds.contains(record.kind),
                includesAll || stacks.contains(record.stack)
            else { continue }
            found.append(record)
        }
        let names = try store.cache.keys(ofStacksOf: Set(found.map(\.key)))
        items = found.map { record in
            let others = (names[record.key] ?? []).filter { $0 != record.key }
            return Item(record: record, state: record.stack, keys: [record.key] + others.prefix(Self.keyLimit - 1))
        }
    }

    /// The layers that steps made, each once, as the stack that it is the top of.
    package var layers: [LayerStack] {
        var stacks: Set<LayerStack> = []
        var seen: Set<DiffID> = []
        return items.flatMap { item -> [LayerStack] in
            var new: [LayerStack] = []
            var next = item.state
            while let below = next.below, stacks.insert(next).inserted {
                new.append(next)
                next = below
            }
            return new.reversed().filter { stack in
                stack.top.map { $0.created != nil && seen.insert($0.diffID).inserted } ?? false
            }
        }
    }

    /// The selection as a document; `blobs` are those of its layers.
    package func document(blobs: [DiffID: Digest]) -> CacheDocument {
        document(layers: [], blobs: blobs, hasDescriptions: true)
    }

    /// The selection as part of the manifest of the image that it is about: layers are told by their place in it.
    package func document(inlineIn image: [DiffID]) -> CacheDocument {
        document(layers: image, blobs: [:], hasDescriptions: false)
    }

    private func document(layers: [DiffID], blobs: [DiffID: Digest], hasDescriptions: Bool) -> CacheDocument {
        var document = CacheDocument()
        document.layers = layers.map { CacheDocument.Layer(diffID: $0, blob: nil) }
        var places = Dictionary(zip(layers, layers.indices), uniquingKeysWith: { first, _ in first })
        for item in items {
            let parts = item.state.layers.map { layer in
                let place = places[layer.diffID] ?? document.layers.count
                if place == document.layers.count {
                    places[layer.diffID] = place
                    document.layers.append(CacheDocument.Layer(diffID: layer.diffID, blob: blobs[layer.diffID]))
                }
                return CacheDocument.Part(layer: place, created: layer.created)
            }
            document.records.append(
                CacheDocument.Record(
                    kind: item.record.kind, description: hasDescriptions ? item.record.description : "",
                    keys: item.keys, parts: parts, created: item.record.createdAt))
        }
        return document
    }
}
