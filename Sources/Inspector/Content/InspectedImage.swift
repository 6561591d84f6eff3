import Diagnostics
package import Layers
package import Linux
package import OCI

/// An image to look into: its files at every layer, and their bytes.
package struct InspectedImage: Sendable {
    package let config: ImageConfig
    package let tree: ImageTree
    package let analysis: ImageAnalysis
    package let contents: any LayerContents
    /// The digest of the config, where it is known.
    package var id: Digest?

    /// Analyses an image; its layers come bottom first.
    package init(config: ImageConfig, layers: [AnalyzedLayerInput], contents: any LayerContents) {
        self.config = config
        self.contents = contents
        let lists = layers.map(\.files)
        let paths = PathTree(lists)
        let dive = Parallel { DiveScore(lists, paths) }
        var files = LiveFiles(paths, lists, recordsVersions: true)
        for layer in lists.indices { files.apply(layer) }
        let log = files.finish() ?? FileVersionLog()
        let tree = Parallel { ImageTree(lists, paths, log) }
        analysis = ImageAnalysis(layers, paths, files, dive.value)
        self.tree = tree.value
    }

    /// Describes an image whose files are not read yet: it has layers, bottom first, and no tree.
    init(config: ImageConfig, id: Digest, layers: [AnalyzedLayer], contents: any LayerContents) {
        self.config = config
        self.contents = contents
        self.id = id
        tree = ImageTree(layers: [])
        analysis = ImageAnalysis(unread: layers)
    }

    /// The steps that made the image.
    package var history: ImageHistory {
        ImageHistory(id: id ?? Digest(of: config.encoded), config: config, layerSizes: analysis.layers.map(\.size))
    }

    /// The index of the layer that a user names: its number from 1 on, or the beginning of its DiffID.
    ///
    /// Throws ``InspectorError`` `.noSuchLayer`.
    package func layer(named text: String) throws -> Int {
        let layers = analysis.layers
        if let number = Int(text), text.utf8.count < 7 {
            guard layers.indices.contains(number - 1) else {
                throw InspectorError(
                    .noSuchLayer, "the image has no layer \(number): it has \(layers.count)",
                    hint: "See 'lamina analyze' for its layers.")
            }
            return number - 1
        }
        let found = layers.indices.filter {
            let digest = layers[$0].diffID.digest
            return digest.hex.hasPrefix(text) || digest.description.hasPrefix(text)
        }
        guard found.count == 1, !text.isEmpty else {
            throw InspectorError(
                .noSuchLayer, "the image has \(found.isEmpty ? "no layer" : "several layers") '\(text)'",
                hint: "Give a number from 1 to \(layers.count), or more digits of the DiffID.")
        }
        return found[0]
    }
}

/// The files that a command looks at.
package enum FileScope: Hashable, Sendable {
    /// All files of the image after the layer with this index.
    case after(Int)
    /// The files that the layer with this index itself holds.
    case only(Int)
}

/// The files of an image in a scope, by their paths.
package struct ScopedFiles: Sendable {
    package let tree: ImageTree
    package let scope: FileScope

    package init(_ tree: ImageTree, _ scope: FileScope) {
        self.tree = tree
        self.scope = scope
    }

    /// The file at a node; `nil` when there is none in the scope.
    package func file(at node: Int) -> TreeFile? {
        switch scope {
        case .after(let layer): return tree.file(at: node, after: layer)
        case .only(let layer):
            if node == ImageTree.root { return TreeFile(layer: layer, entry: nil) }
            guard let file = tree.file(at: node, after: layer), file.layer == layer else { return nil }
            return file
        }
    }

    package func entry(at node: Int) -> LayerEntry? { file(at: node).map { tree.entry(of: $0, at: node) } }

    /// The files in a directory, in the order of their names. Nothing is in what is no directory.
    package func children(of node: Int) -> [Int] {
        guard node == ImageTree.root || entry(at: node)?.kind == .directory else { return [] }
        return tree.children(of: node).filter { file(at: $0) != nil }
    }

    /// The node that a path leads to. Links on the way are followed, a link at its end only if `followsLast`.
    ///
    /// Throws ``InspectorError`` `.noSuchFile`.
    package func node(at path: PathBytes, followsLast: Bool) throws -> Int {
        let components = path.components.filter { $0 != "." }
        let last = components.last ?? ""
        let ending: PathBytes = followsLast || last == ".." ? "" : last
        let followed = ending.isEmpty ? components : Array(components.dropLast())
        let way = followed.reduce(PathBytes("")) { $0.appending($1) }
        let place = way.followingLinks { path in
            guard let node = tree.node(at: path), let entry = entry(at: node), entry.kind == .symlink else {
                return nil
            }
            return entry.linkTarget
        }
        guard let place else {
            throw InspectorError(.noSuchFile, "'/\(path.text)' leads through too many symbolic links")
        }
        let found = place.appending(ending)
        guard let node = tree.node(at: found), file(at: node) != nil else {
            let name = PathBytes(path.bytes.drop { $0 == UInt8(ascii: "/") })
            throw InspectorError(.noSuchFile, missing(name, found))
        }
        return node
    }

    private func missing(_ path: PathBytes, _ found: PathBytes) -> String {
        let target = found == path ? "" : ", which leads to '/\(found.text)'"
        return switch scope {
        case .after: "the image has no file '/\(path.text)'\(target)"
        case .only(let layer): "layer \(layer + 1) has no file '/\(path.text)'\(target)"
        }
    }
}
