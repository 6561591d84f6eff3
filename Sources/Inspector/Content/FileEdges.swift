import Layers
import Linux

/// The first and the last bytes of a file.
package struct FileEdges: Hashable, Sendable {
    package private(set) var head: [UInt8] = []
    package private(set) var tail: [UInt8] = []
    private let headLength: Int
    private let tailLength: Int

    fileprivate init(_ headLength: Int, _ tailLength: Int) {
        self.headLength = headLength
        self.tailLength = tailLength
    }

    fileprivate mutating func add(_ bytes: Span<UInt8>) {
        let missing = min(bytes.count, headLength - head.count)
        unsafe bytes.withUnsafeBufferPointer { buffer in
            if missing > 0 { unsafe head += buffer[..<missing] }
            unsafe tail += buffer[max(0, buffer.count - tailLength)...]
        }
        if tail.count > 2 * tailLength { tail.removeFirst(tail.count - tailLength) }
    }

    fileprivate mutating func finish() { tail.removeFirst(max(0, tail.count - tailLength)) }
}

extension InspectedImage {
    /// The first `head` and the last `tail` bytes of regular files, in one pass over each layer that is no directory. Files
    /// whose bytes are not there are left out.
    package func edges(of places: [ContentPlace], head: Int, tail: Int) throws -> [ContentPlace: FileEdges] {
        var found: [ContentPlace: FileEdges] = [:]
        for (layer, places) in Dictionary(grouping: places, by: \.layer) {
            if try contents.directory(of: layer) != nil {
                for place in places { found[place] = try? edges(of: place, head, tail) }
                continue
            }
            guard let blob = try contents.blob(of: layer) else { continue }
            var wanted = Set(places.map(\.entry))
            try LayerReader.forEachFile(in: blob) { entry, content in
                guard let (index, file) = recorded(entry, in: layer), wanted.contains(index) else { return true }
                var edges = FileEdges(head, tail)
                guard try contents.read(content, of: file, { edges.add($0) }) else { return true }
                edges.finish()
                found[ContentPlace(layer: layer, entry: index)] = edges
                wanted.remove(index)
                return !wanted.isEmpty
            }
        }
        return found
    }

    private func edges(of place: ContentPlace, _ head: Int, _ tail: Int) throws -> FileEdges {
        var edges = FileEdges(head, tail)
        try read(place) { bytes in
            edges.add(bytes)
            return true
        }
        edges.finish()
        return edges
    }
}
