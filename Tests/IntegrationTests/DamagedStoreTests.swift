import SystemPackage
import Testing

/// Random damage of a store's files, and what `fsck --repair` makes of it.
@Suite("A damaged store", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct DamagedStoreTests {
    private let scratch: Scratch
    private let store: FilePath

    /// Two, or as many as LAMINA_DAMAGE_SEEDS says.
    private static let seeds = environmentVariable("LAMINA_DAMAGE_SEEDS").flatMap { UInt64($0) } ?? 2

    /// An image that was built, of blobs and directories, and one that came with compressed layers and a manifest.
    private static let names = ["made", "loaded"]

    init() throws {
        scratch = try Scratch()
        store = scratch.path.appending("store")
    }

    private func lamina(_ root: FilePath) -> Lamina { Lamina(root: root).with(["SOURCE_DATE_EPOCH": "0"]) }

    /// Adds the images to a store that lacks them.
    private func fill(_ root: FilePath) throws {
        let context = scratch.path.appending("context")
        try lamina(root).build(context, "-t", "made")
        try lamina(root).succeeding("load", "-i", scratch.path.appending("loaded.tar").string)
    }

    private func makeImages() throws {
        let context = try scratch.context(
            "FROM lamina/base\nCOPY a /\nCOPY b /\nRUN touch -h -d @0 /a\nCOPY d /d\nRUN true\n")
        let archive = scratch.path.appending("loaded.tar").string
        try expectSuccess(
            "sh", "-ec",
            """
            cd "$0" && mkdir d && echo a > a && seq 3000 > b && echo c > d/c && seq 500 > d/e
            find . -exec touch -d @0 {} +
            """, context.string)
        try lamina(scratch.path.appending("other")).build(
            context, "-o", "type=oci,dest=\(archive),name=loaded,compression=gzip,force-compression=true")
        try fill(store)
    }

    private func copy(_ root: FilePath, to name: String) throws -> FilePath {
        let target = scratch.path.appending(name)
        try expectSuccess("rm", "-rf", target.string)
        try expectSuccess("cp", "-a", root.string, target.string)
        return target
    }

    /// The digests of the files and of an archive of each image, as far as they can be had.
    private func yield(of root: FilePath) throws -> [String: String] {
        var found: [String: String] = [:]
        let out = scratch.path.appending("out").string
        for name in Self.names {
            for words in [["export", "-o", out, name], ["save", "-o", out, name]] {
                try expectSuccess("rm", "-f", out)
                guard try lamina(root).start(words).wait().status == 0 else { continue }
                found["\(words[0]) \(name)"] = try expectSuccess("sha256sum", out).trimmed
            }
        }
        return found
    }

    /// Damages one to three files, and says which and how.
    private func damage(_ root: FilePath, using random: inout Numbers) throws -> [String] {
        let files = try expectSuccess(
            "sh", "-ec", "cd \"$0\" && find blobs layers snapshots -type f | sort", root.string
        ).outputLines
        return try (0...random.below(3)).map { _ in
            let name = files[random.below(files.count)]
            let path = root.appending(name)
            guard var bytes = try? contents(of: path) else { return "" }
            let place = random.below(max(1, bytes.count))
            let kind = ["changed", "cut", "longer", "deleted", "emptied"][random.below(5)]
            switch kind {
            case "changed" where !bytes.isEmpty: bytes[place] ^= 1 << UInt8(random.below(8))
            case "cut": bytes.removeSubrange(place...)
            case "longer": bytes.append(0)
            case "emptied": bytes = []
            default: break
            }
            if kind == "deleted" {
                try expectSuccess("rm", path.string)
            } else {
                let file = try FileDescriptor.open(path, .writeOnly, options: [.truncate])
                _ = try file.closeAfter { try file.writeAll(bytes) }
            }
            return "\(name) \(kind) at \(place)"
        }
    }

    @Test("A repair makes no image worse, and images that are removed and made again are whole")
    func repairMakesNothingWorse() throws {
        try makeImages()
        let whole = try yield(of: store)
        #expect(whole.count == 4)
        for seed in 0..<Self.seeds {
            var random = Numbers(state: 0xDA3A &+ seed)
            let damaged = try copy(store, to: "damaged")
            let what = try damage(damaged, using: &random)
            let before = try yield(of: copy(damaged, to: "probe"))
            let listed = try lamina(damaged).state()

            let repair = try lamina(damaged)("fsck", "--full", "--repair")
            #expect([0, 1].contains(repair.status), "\(what): \(repair.errorText)")
            let after = try yield(of: copy(damaged, to: "probe"))
            // A layer that is here otherwise may come in another form of compression.
            for (name, digest) in whole
            where before[name] == digest || (repair.status == 0 && name.hasPrefix("export")) {
                #expect(after[name] == digest, "\(what): \(name)\n\(repair.outputText)")
            }
            #expect(try lamina(damaged).state() == listed, "\(what)\n\(repair.outputText)")

            try lamina(damaged).succeeding(["rmi", "-f", "lamina/base"] + Self.names)
            let second = try lamina(damaged)("fsck", "--full", "--repair")
            try fill(damaged)
            let third = try lamina(damaged)("fsck", "--full")
            #expect(third.status == 0, "\(what)\n\(second.outputText)\n\(third.outputText)")
        }
    }
}

/// Numbers that are the same for the same seed.
private struct Numbers {
    var state: UInt64

    /// The next number, less than `limit`.
    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ (value >> 31)) % UInt64(max(1, limit)))
    }
}
