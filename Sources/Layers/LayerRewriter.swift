package import Linux

/// Copies a layer with other metadata, or without some of its members.
package enum LayerRewriter {
    /// Copies all members with the changes that `change` makes to them. Content cannot be changed.
    package static func copy(
        _ source: any ByteStream, to writer: inout LayerWriter, _ change: (inout LayerEntry) -> Void
    ) throws {
        try copy(source, to: &writer, where: { _ in true }, changing: change)
    }

    /// Copies the members for which `isKept` is true.
    package static func copyMembers(
        of source: any ByteStream, to writer: inout LayerWriter, keeping isKept: (LayerEntry) -> Bool
    ) throws {
        try copy(source, to: &writer, where: isKept, changing: { _ in })
    }

    private static func copy(
        _ source: any ByteStream, to writer: inout LayerWriter, where isKept: (LayerEntry) -> Bool,
        changing change: (inout LayerEntry) -> Void
    ) throws {
        var reader = try LayerReader(source, computesDigest: false)
        while var entry = try reader.next() {
            guard isKept(entry) else { continue }
            change(&entry)
            if entry.kind == .regular, entry.size > 0 {
                try writer.add(entry, content: &reader)
            } else {
                try writer.add(entry)
            }
        }
        try reader.end()
    }
}

extension LayerEntry {
    /// Gives a file a time, or only one that is younger. Marks have none.
    package mutating func setTime(_ time: FileTime, onlyYounger: Bool) {
        guard !isMark, !onlyYounger || time < modified else { return }
        modified = time
    }
}
