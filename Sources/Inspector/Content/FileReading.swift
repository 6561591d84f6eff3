import Diagnostics
import Glibc
package import Layers
import Linux

/// The place of the bytes of a file: a regular file of a layer.
package struct ContentPlace: Hashable, Sendable {
    package let layer: Int
    /// The index in the file list of the layer.
    package let entry: Int

    package init(layer: Int, entry: Int) {
        self.layer = layer
        self.entry = entry
    }
}

extension InspectedImage {
    /// The place of the bytes of a regular file, hard links followed; `nil` for any other file.
    package func place(of file: TreeFile) -> ContentPlace? {
        var layer = file.layer
        guard var index = file.entry else { return nil }
        // As many steps as the kernel follows links, since links may form a ring.
        for _ in 0..<40 {
            let entry = tree.lists[layer].entries[index]
            if entry.kind == .regular { return ContentPlace(layer: layer, entry: index) }
            guard entry.kind == .hardLink else { return nil }
            let target = entry.linkTarget
            if let other = tree.lists[layer].index(of: target), other != index {
                index = other
            } else if let node = tree.node(at: target), let below = tree.file(at: node, after: layer - 1),
                let other = below.entry
            {
                layer = below.layer
                index = other
            } else {
                return nil
            }
        }
        return nil
    }

    package func entry(at place: ContentPlace) -> LayerEntry { tree.lists[place.layer].entries[place.entry] }

    /// Reads a regular file from its beginning until `body` returns `false`: from the directory of its layer, else from the
    /// layer's blob, in one pass.
    ///
    /// Throws ``InspectorError`` `.missingContent` when neither is there or has the file as it was recorded.
    package func read(_ place: ContentPlace, _ body: (Span<UInt8>) throws -> Bool) throws {
        let wanted = entry(at: place)
        if let directory = try contents.directory(of: place.layer) {
            if try Self.read(wanted, in: try Directory(opening: directory), body) { return }
        }
        guard let blob = try contents.blob(of: place.layer) else { throw Self.missing(wanted.path, place.layer) }
        var isFound = false
        try withoutActuallyEscaping(body) { body in
            try LayerReader.forEachFile(in: blob) { entry, content in
                guard entry.kind == .regular, entry.path == wanted.path, entry.size == wanted.size else { return true }
                isFound = true
                do {
                    let hash = try content { bytes in if try !body(bytes) { throw Stop() } }
                    guard hash == wanted.contentHash else { throw Self.missing(wanted.path, place.layer) }
                } catch is Stop {}
                return false
            }
        }
        guard isFound else { throw Self.missing(wanted.path, place.layer) }
    }

    /// The first bytes of a regular file.
    package func beginning(of place: ContentPlace, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        guard limit > 0 else { return [] }
        try read(place) { piece in
            for index in piece.indices where bytes.count < limit { bytes.append(piece[index]) }
            return bytes.count < limit
        }
        return bytes
    }

    /// The first bytes of regular files, in one pass over each layer that is no directory. Files of layers that are not
    /// there are left out.
    package func beginnings(of places: [ContentPlace], limit: Int) throws -> [ContentPlace: [UInt8]] {
        var found: [ContentPlace: [UInt8]] = [:]
        for (layer, places) in Dictionary(grouping: places, by: \.layer) {
            if try contents.directory(of: layer) != nil {
                for place in places { found[place] = try beginning(of: place, limit: limit) }
                continue
            }
            guard let blob = try contents.blob(of: layer) else { continue }
            let list = tree.lists[layer]
            var wanted = Set(places.map(\.entry))
            try LayerReader.forEachFile(in: blob) { entry, content in
                guard entry.kind == .regular, let index = list.index(of: entry.path), wanted.contains(index),
                    list.entries[index].size == entry.size
                else { return true }
                var bytes: [UInt8] = []
                let hash = try content { piece in
                    for position in piece.indices where bytes.count < limit { bytes.append(piece[position]) }
                }
                guard hash == list.entries[index].contentHash else { return true }
                found[ContentPlace(layer: layer, entry: index)] = bytes
                wanted.remove(index)
                return !wanted.isEmpty
            }
        }
        return found
    }

    /// The reading is over before the end of the file.
    private struct Stop: Error {}

    static func missing(_ path: PathBytes, _ layer: Int) -> InspectorError {
        InspectorError(
            .missingContent, "the content of '/\(path.text)' in layer \(layer + 1) is not there as it was recorded",
            hint: "Build or pull the image again.")
    }

    /// Reads a file of an unpacked layer; `false` when it is not there as recorded, and nothing was passed on.
    private static func read(
        _ wanted: LayerEntry, in directory: borrowing Directory, _ body: (Span<UInt8>) throws -> Bool
    ) throws -> Bool {
        let file: OwnedDescriptor
        do {
            // Whatever it may have become, opening must not wait.
            file = try directory.open(wanted.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, resolving: .noSymlinks)
        } catch is LinuxError {
            return false
        }
        let status = try file.status()
        guard status.type == .regular, status.size == wanted.size else { return false }
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var hash: UInt64 = 0
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { break }
            hash = ContentHash.update(hash, buffer.span.extracting(..<count))
            guard try body(buffer.span.extracting(..<count)) else { return true }
        }
        guard hash == wanted.contentHash else {
            throw InspectorError(
                .missingContent, "the file '/\(wanted.path.text)' was changed in the store",
                hint: "Run 'lamina fsck --full', and build or pull the image again.")
        }
        return true
    }
}

extension FileList {
    /// The index of the file with this path; marks are not files.
    func index(of path: PathBytes) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path.walksBefore(path) { low = middle + 1 } else { high = middle }
        }
        while low < entries.count, entries[low].path == path {
            if !entries[low].isMark { return low }
            low += 1
        }
        return nil
    }
}
