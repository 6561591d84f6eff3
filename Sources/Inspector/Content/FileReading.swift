import Diagnostics
import Glibc
package import Layers
package import Linux

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
            switch tree.lists[layer].kind(of: index) {
            case .regular: return ContentPlace(layer: layer, entry: index)
            case .hardLink: break
            default: return nil
            }
            let target = tree.entry(index, of: layer).linkTarget
            if let other = tree.index(of: target, in: layer), other != index {
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

    package func entry(at place: ContentPlace) -> LayerEntry { tree.entry(place.entry, of: place.layer) }

    /// The regular file that was recorded for a member of a layer's archive, with its index; `nil` when there is none of
    /// its size.
    func recorded(_ member: LayerEntry, in layer: Int) -> (index: Int, entry: LayerEntry)? {
        guard member.kind == .regular, let index = tree.index(of: member.path, in: layer) else { return nil }
        let entry = tree.entry(index, of: layer)
        return entry.size == member.size ? (index, entry) : nil
    }

    /// Reads a regular file from its beginning until `body` returns `false`: from the directory of its layer, else from the
    /// layer's blob, in one pass.
    ///
    /// Throws ``InspectorError`` `.missingContent` when neither is there or has the file as it was recorded.
    package func read(_ place: ContentPlace, _ body: (Span<UInt8>) throws -> Bool) throws {
        let wanted = entry(at: place)
        if let directory = try contents.directory(of: place.layer) {
            if try Self.read(wanted, in: try Directory(opening: directory), body) { return }
        }
        if let file = try contents.file(wanted, of: place.layer) {
            do {
                let isRight = try contents.read(Self.content(of: file), of: wanted) {
                    if try !body($0) { throw Stop() }
                }
                guard isRight else { throw Self.missing(wanted.path, place.layer) }
            } catch is Stop {}
            return
        }
        guard let blob = try contents.blob(of: place.layer) else { throw Self.missing(wanted.path, place.layer) }
        var isFound = false
        try withoutActuallyEscaping(body) { body in
            try LayerReader.forEachFile(in: blob) { entry, content in
                guard entry.kind == .regular, entry.path == wanted.path, entry.size == wanted.size else { return true }
                isFound = true
                do {
                    let isRight = try contents.read(content, of: wanted) { if try !body($0) { throw Stop() } }
                    guard isRight else { throw Self.missing(wanted.path, place.layer) }
                } catch is Stop {}
                return false
            }
        }
        if isFound { return }
        guard try readLostName(of: place, body) else { throw Self.missing(wanted.path, place.layer) }
    }

    /// Reads a file that the layer's archive has under a name which the same archive takes away again, so that a hard link
    /// to it is the file. The member is found by its content in one pass, and read in another. `false` when there is none.
    private func readLostName(of place: ContentPlace, _ body: (Span<UInt8>) throws -> Bool) throws -> Bool {
        let wanted = entry(at: place)
        var member: Int?
        var number = 0
        guard let blob = try contents.blob(of: place.layer) else { return false }
        try LayerReader.forEachFile(in: blob) { entry, content in
            number += 1
            guard entry.kind == .regular, entry.size == wanted.size else { return true }
            if try contents.read(content, of: wanted, { _ in }) { member = number }
            return member == nil
        }
        guard let member, let blob = try contents.blob(of: place.layer) else { return false }
        number = 0
        try withoutActuallyEscaping(body) { body in
            try LayerReader.forEachFile(in: blob) { _, content in
                number += 1
                guard number == member else { return true }
                do { _ = try content { bytes in if try !body(bytes) { throw Stop() } } } catch is Stop {}
                return false
            }
        }
        return true
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
        try forEachContent(of: places, limit: limit) { _, _ in
            true
        } body: {
            found[$0] = $1
        }
        return found
    }

    /// Calls `body` with the bytes of regular files, at most `limit` of each, in one pass over each layer that is no
    /// directory: one file at a time is in memory. Files of layers that are not there are left out.
    ///
    /// `isWanted` is told how a file begins, its first buffer. For one that is not wanted, `body` gets `nil`.
    package func forEachContent(
        of places: [ContentPlace], limit: Int = .max, isWanted: (ContentPlace, ArraySlice<UInt8>) throws -> Bool,
        body: (ContentPlace, [UInt8]?) throws -> Void
    ) throws {
        for (layer, places) in Dictionary(grouping: places, by: \.layer).sorted(by: { $0.key < $1.key }) {
            if try contents.directory(of: layer) != nil {
                for place in places {
                    let bytes = try collect(place, limit: limit, isWanted: isWanted)
                    try body(place, bytes)
                }
                continue
            }
            guard let blob = try contents.blob(of: layer) else { continue }
            var wanted = Set(places.map(\.entry))
            try withoutActuallyEscaping(isWanted) { isWanted in
                try withoutActuallyEscaping(body) { body in
                    try LayerReader.forEachFile(in: blob) { entry, content in
                        guard let (index, file) = recorded(entry, in: layer), wanted.contains(index) else {
                            return true
                        }
                        let place = ContentPlace(layer: layer, entry: index)
                        var collected = CollectedBytes(limit: limit)
                        let isRight = try contents.read(content, of: file) {
                            try collected.add($0) { try isWanted(place, $0) }
                        }
                        guard isRight else { return true }
                        try body(place, collected.bytes)
                        wanted.remove(index)
                        return !wanted.isEmpty
                    }
                }
            }
            for index in wanted.sorted() {
                let place = ContentPlace(layer: layer, entry: index)
                let bytes: [UInt8]?
                do { bytes = try collect(place, limit: limit, isWanted: isWanted) } catch is InspectorError { continue }
                try body(place, bytes)
            }
        }
    }

    private func collect(
        _ place: ContentPlace, limit: Int, isWanted: (ContentPlace, ArraySlice<UInt8>) throws -> Bool
    ) throws -> [UInt8]? {
        var collected = CollectedBytes(limit: limit)
        try read(place) { piece in
            try collected.add(piece) { try isWanted(place, $0) }
            return collected.isOpen
        }
        return collected.bytes
    }

    /// The content of a stream, with its checksum.
    private static func content(of stream: any ByteStream) -> LayerFileContent {
        { body in
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            var hash: UInt64 = 0
            while true {
                let count = try stream.read(into: &buffer)
                if count == 0 { return hash }
                hash = ContentHash.update(hash, buffer.span.extracting(..<count))
                try body(buffer.span.extracting(..<count))
            }
        }
    }

    /// The reading is over before the end of the file.
    private struct Stop: Error {}

    package static func missing(_ path: PathBytes, _ layer: Int) -> InspectorError {
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

/// The bytes of a file as they come, up to a limit, or none if the beginning is not wanted.
private struct CollectedBytes {
    let limit: Int
    private(set) var bytes: [UInt8]? = []
    private var isFirst = true

    init(limit: Int) { self.limit = limit }

    /// Whether more bytes are of use.
    var isOpen: Bool { bytes.map { $0.count < limit } ?? false }

    mutating func add(_ piece: Span<UInt8>, isWanted: (ArraySlice<UInt8>) throws -> Bool) throws {
        guard isOpen, let count = bytes?.count else { return }
        let part = piece.extracting(..<min(piece.count, limit - count))
        unsafe part.withUnsafeBufferPointer { unsafe bytes?.append(contentsOf: $0) }
        if isFirst, let start = bytes, try !isWanted(start[...]) { bytes = nil }
        isFirst = false
    }
}
