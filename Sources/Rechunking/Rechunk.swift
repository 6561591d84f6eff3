import Diagnostics
package import Editing
import Execution
import Images
import Inspector
import Layers
import Linux
package import OCI
import Packages
import Solver
package import Store
import Trees

/// Divides the layers of an image anew: a layer for each package, or for several that are small and alike in age.
package struct Rechunk: Sendable {
    /// A layer of the result, with what the history says of it.
    package struct Layer: Sendable {
        package let diffID: DiffID
        package let text: String
    }

    private let images: ImageTransfer
    private let limit: Int

    private static let removals = "rechunk: removed files"
    private static let directories = "rechunk: directories"
    /// As the history of an image says it of a chunk, before the names of its parts.
    private static let chunk = "rechunk of "
    /// The length of what the history says of a chunk, in characters.
    private static let textLimit = 200

    /// - Parameters:
    ///   - editing: the store, and the registries that layers are fetched from.
    ///   - limit: the number of layers that may come of it, at least 3.
    /// - Throws: ``EditingError`` `.badValue`.
    package init(_ editing: ImageEditing, limit: Int) throws {
        guard (3...127).contains(limit) else {
            throw EditingError(
                .badValue, "\(limit) layers are too \(limit < 3 ? "few" : "many")",
                hint: "Give a number from 3 to 127.")
        }
        images = editing.images
        self.limit = limit
    }

    /// Divides the layers of an image from the one with the index `first` on.
    ///
    /// - Parameters:
    ///   - image: an image of the store. Its layers are fetched where they are not here, and unpacked.
    ///   - first: the number of layers of its base, which stay.
    ///   - former: an image that was divided before, whose layers are kept as far as can be.
    /// - Returns: the new layers, bottom first, which the store has.
    /// - Throws: ``EditingError``, `PackagesError`, and the errors of the store and of registries.
    package func layers(of image: StoredImage, from first: Int, keeping former: StoredImage?) async throws -> [Layer] {
        let store = images.store
        let snapshots = StepIsolation(nil, store: store).unpacker(of: images)
        let top = try await snapshots.files(of: image.diffIDs)
        let base = try await snapshots.tree(of: LayerStack(ofImage: Array(image.diffIDs[..<first])))
        var formerTree: LayerTree?
        if let former { formerTree = try await snapshots.tree(of: LayerStack(ofImage: former.diffIDs)) }
        return try await offload { [formerTree] in
            let owners = try PackageFiles.owners(in: StoreInspector(store: store).inspect(image))
            var parts = try ImageParts(top, on: base, owners: owners)
            var formerChunks: [Int: Int] = [:]
            if let former, let formerTree {
                formerChunks = try chunks(of: former)
                parts.compare(with: formerTree, chunks: formerChunks)
            }
            return try write(parts, ChunkLayers(top: top, base: base), formerCount: formerChunks.count)
        }
    }

    /// The layers of an image that are chunks, by their indexes.
    private func chunks(of former: StoredImage) throws -> [Int: Int] {
        let texts = try images.config(of: former).history.filter { !$0.emptyLayer }.map(\.createdBy)
        let layers = texts.indices.filter { texts[$0].hasPrefix(Self.chunk) }
        guard !layers.isEmpty else {
            throw EditingError(
                .badHistory, "the former image was not made by 'lamina rechunk'",
                hint: "Leave --former out the first time.")
        }
        return Dictionary(uniqueKeysWithValues: zip(layers, 0...))
    }

    private func write(_ image: ImageParts, _ drafts: ChunkLayers, formerCount: Int) throws -> [Layer] {
        guard !image.files.isEmpty else {
            throw EditingError(.nothing, "the image has no files above its base")
        }
        let removals = try drafts.removals()
        let plan = ChunkPlan.chunks(
            of: image.parts, limit: limit - (removals == nil ? 1 : 2), formerCount: formerCount)
        var places = Array(repeating: 0, count: image.parts.count)
        for (chunk, parts) in plan.enumerated() { for part in parts { places[part] = chunk } }
        var files = Array(repeating: [FileNode](), count: plan.count)
        for (node, part) in image.files { files[places[part]].append(node) }

        var layers: [Layer] = []
        func add(_ draft: LayerDraft?, _ text: String) throws {
            guard let draft else { return }
            layers.append(Layer(diffID: try images.storage.write(draft), text: text))
        }
        try add(removals, Self.removals)
        for (chunk, parts) in plan.enumerated() where !parts.isEmpty {
            try add(try drafts.chunk(of: files[chunk]), Self.text(of: parts.map { image.parts[$0].name }))
        }
        try add(try drafts.directories(image.directories), Self.directories)
        return layers
    }

    private static func text(of names: [String]) -> String {
        var text = chunk + (names.first ?? "")
        for (index, name) in names.enumerated().dropFirst() {
            let more = " and \(names.count - index) more"
            guard text.count + name.count + more.count + 2 <= textLimit else { return text + more }
            text += ", \(name)"
        }
        return text
    }
}
