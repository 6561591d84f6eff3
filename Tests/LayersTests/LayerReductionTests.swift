import Layers
import Linux
import Testing

/// The changes that remain after comparison with the layers below.
struct LayerReductionTests {
    private func entry(_ text: String) -> LayerEntry {
        let words = text.split(separator: " ")
        let kinds: [Substring: LayerEntry.Kind] = [
            "r": .regular, "d": .directory, "s": .symlink, "-": .whiteout, "*": .opaque, "c": .characterDevice,
        ]
        var entry = LayerEntry(path: PathBytes(words[1]), kind: kinds[words[0]] ?? .fifo)
        if !entry.isMark { entry.permissions = 0o644 }
        for word in words.dropFirst(2) {
            let value = UInt64(word.dropFirst(2)) ?? 0
            switch word.first {
            case "m": entry.permissions = UInt32(value)
            case "o": entry.owner = UInt32(value)
            case "t": entry.modified = FileTime(seconds: Int64(value))
            case "n": entry.modified = FileTime(seconds: entry.modified.seconds, nanoseconds: Int64(value))
            case "h":
                entry.contentHash = value
                entry.size = 1
            case "l": entry.linkTarget = PathBytes(word.dropFirst(2))
            default: entry.attributes = [ExtendedAttribute(name: "user.a", value: [UInt8(value)])]
            }
        }
        return entry
    }

    private static let below = [
        "d a t=5", "r a/f t=5 h=1", "r a/g t=5 h=2", "d a/sub t=5", "r a/sub/x t=5 h=3", "s l l=f", "r y t=5 h=4",
    ]

    /// Below, what was found, and what is left. `i=N` at the end makes names of one file.
    @Test(
        "A change is kept if it differs from the layers below",
        arguments: [
            // Nothing differs.
            (["r y t=5 h=4"], []),
            (["r y t=5 n=7 h=4"], []),
            (["d a t=5", "r a/f t=5 h=1"], []),
            (["s l l=f m=511"], []),
            // One thing differs.
            (["r y t=5 h=9"], ["r y"]),
            (["r y t=6 h=4"], ["r y"]),
            (["r y t=5 h=4 m=420 o=1"], ["r y"]),
            (["r y t=5 h=4 m=384"], ["r y"]),
            (["r y t=5 h=4 x=1"], ["r y"]),
            (["s l l=g"], ["s l"]),
            (["d a t=6"], ["d a"]),
            (["r new t=5 h=4"], ["r new"]),
            (["s y l=f"], ["s y"]),
            (["d y t=5"], ["d y"]),
            // The directories on the way.
            (["d a t=5", "d a/sub t=5", "r a/sub/x t=6 h=3"], ["d a", "d a/sub", "r a/sub/x"]),
            (["d a t=5", "d a/sub t=5", "- a/sub/x"], ["d a", "d a/sub", "- a/sub/x"]),
            (["d a t=5", "r a/f t=6 h=1", "d a/sub t=5", "r a/sub/x t=5 h=3"], ["d a", "r a/f"]),
            // Whiteouts of nothing.
            (["- none"], []),
            (["d a t=5", "- a/none"], []),
            // Opaque directories.
            (["d new t=5", "* new", "r new/f t=5 h=1"], ["d new", "r new/f"]),
            (["d a t=5", "* a"], ["d a", "- a/f", "- a/g", "- a/sub"]),
            (["d a t=5", "* a", "r a/g t=5 h=2"], ["d a", "- a/f", "- a/sub"]),
            (["d a t=5", "* a", "r a/f t=5 h=1", "r a/g t=5 h=2", "d a/sub t=5"], ["d a", "d a/sub", "- a/sub/x"]),
            (["d y t=5", "* y"], ["d y"]),
            // Names of one file: all or none.
            (["r new t=5 h=4 i=1", "r y t=5 h=4 i=1"], ["r new", "h y"]),
            (["r y t=5 h=4 i=1", "r z t=5 h=4 i=1"], ["r y", "h z"]),
            (["d a t=5", "r a/f t=5 h=1 i=1", "r a/g t=5 h=2 i=2"], []),
        ])
    func keeps(_ found: [String], _ expected: [String]) throws {
        var below: [PathBytes: LayerEntry] = [:]
        for text in Self.below {
            let entry = entry(text)
            below[entry.path] = entry
        }
        let files = found.map { text -> FoundFile in
            guard let number = text.firstRange(of: " i=") else { return FoundFile(entry(text)) }
            let identity = FileIdentity(device: 1, inode: UInt64(text[number.upperBound...]) ?? 0)
            return FoundFile(entry(String(text[..<number.lowerBound])), identity: identity)
        }
        var hashes: [PathBytes: UInt64] = [:]
        for file in files { hashes[file.entry.path] = file.entry.contentHash }
        let reduction = LayerReduction(
            below: { below[$0] },
            names: { path in below.keys.filter { $0.parent == path }.map(\.lastComponent).sorted() },
            contentHash: { hashes[$0] ?? 0 })
        let letters: [LayerEntry.Kind: String] = [
            .regular: "r", .directory: "d", .symlink: "s", .whiteout: "-", .opaque: "*", .hardLink: "h",
        ]
        let left = try reduction.reduce(files).members.map { "\(letters[$0.kind] ?? "?") \($0.path)" }
        #expect(left == expected)
    }
}
