import Diagnostics
package import Layers
package import Linux

/// The files of a list, each in the layer that has it in the image.
package struct PrefetchPlan: Hashable, Sendable {
    /// The files of each layer, in the order of the list.
    package let paths: [[PathBytes]]

    /// Finds the files of a list in layers, bottom first.
    ///
    /// - Throws: ``LazyLayersError`` `.noSuchFile` for a file that none of the layers has, or that another one removes.
    package init(_ list: [PathBytes], in layers: [[LayerEntry]]) throws {
        let contents = layers.map(LayerContents.init)
        var paths = [[PathBytes]](repeating: [], count: layers.count)
        for path in list {
            guard let index = Self.layer(of: path, in: contents) else {
                throw LazyLayersError(
                    .noSuchFile, "the list of files to prefetch names '/\(path.text)', which no new layer has",
                    hint: "Leave it out; for files of the base image add force-compression=true.")
            }
            paths[index].append(path)
        }
        self.paths = paths
    }

    private static func layer(of path: PathBytes, in layers: [LayerContents]) -> Int? {
        for index in layers.indices.reversed() {
            if layers[index].files.contains(path) { return index }
            if layers[index].hides(path) { return nil }
        }
        return nil
    }

    /// The paths of a list: one a line, from the root of the image, with a slash in front or without.
    package static func paths(parsing text: [UInt8]) -> [PathBytes] {
        let blanks = Set(" \t\r".utf8)
        return text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let start = line.firstIndex { !blanks.contains($0) } ?? line.endIndex
            let end = line.lastIndex { !blanks.contains($0) }.map { $0 + 1 } ?? start
            guard start < end else { return nil }
            return TarIndex.path(Array(line[start..<end]))
        }
    }
}

/// The files of a layer, and those that it takes from the layers below.
private struct LayerContents {
    var files: Set<PathBytes> = []
    private var gone: Set<PathBytes> = []
    private var emptied: Set<PathBytes> = []

    init(_ entries: [LayerEntry]) {
        for entry in entries {
            switch entry.kind {
            case .whiteout: gone.insert(entry.path)
            case .opaque: emptied.insert(entry.path)
            default: files.insert(entry.path)
            }
        }
    }

    /// Whether the layer removes a path of the layers below.
    func hides(_ path: PathBytes) -> Bool {
        var current = path
        while true {
            if gone.contains(current) || (current != path && emptied.contains(current)) { return true }
            if current.isEmpty { return false }
            current = current.parent
        }
    }
}
