import Linux
import OCI
import Requests
import Store
import SystemPackage
import Testing
import Trees

@Suite struct PruneFilterTests {
    @Test(
        "A size has a unit of a thousand or 1024",
        arguments: [
            ("10", 10), ("1k", 1000), ("1.5 kB", 1500), ("2KiB", 2048), ("10GB", 10_000_000_000), ("1gi", 1 << 30),
        ] as [(String, Int64)])
    func sizes(text: String, bytes: Int64) { #expect(Quantities.bytes(text) == bytes) }

    @Test(arguments: ["", "GB", "1x", "-1", "1e400", "0x10"])
    func notSizes(text: String) { #expect(Quantities.bytes(text) == nil) }

    @Test(
        "A duration has a unit",
        arguments: [("24h", 86400), ("1h30m", 5400), ("7d", 604_800), ("0.5m", 30), ("1500ms", 1)] as [(String, Int64)])
    func durations(text: String, seconds: Int64) { #expect(Quantities.seconds(text) == seconds) }

    @Test(arguments: ["", "24", "h", "1y", "-1h", "1h 30"])
    func notDurations(text: String) { #expect(Quantities.seconds(text) == nil) }

    @Test("A share of the disk is a percentage", arguments: ["10%", "100%", "0%"])
    func shares(text: String) { #expect(Quantities.share(text) != nil) }

    @Test(arguments: ["10", "101%", "-1%", "%"]) func notShares(text: String) { #expect(Quantities.share(text) == nil) }

    @Test(arguments: [
        "", "nothing=1", "until=x", "until!=1h", "shared=perhaps", "type", "description~=(", "parents", "id=",
        "mutable=x", "usage-count=1", "immutable~=x",
    ])
    func bad(filter: String) { #expect(throws: RequestsError.self) { try PruneFilter([filter]) } }

    /// Which of two results and a cache mount fit.
    @Test(
        "Each filter chooses the records it describes",
        arguments: [
            ([], "cache,one,two"), (["type=regular"], "one,two"), (["type!=regular"], "cache"),
            (["type=regular", "type=exec.cachemount"], "cache,one,two"), (["description=one"], "one"),
            (["description~=^o|h"], "cache,one"), (["description!=one", "description!=two"], "cache"),
            (["type=regular", "description~=w"], "two"), (["shared"], ""), (["private"], "cache,one,two"),
            (["inuse=false"], "cache,one,two"), (["inuse"], ""), (["until=1h"], "cache,one"),
            (["until=1h", "until=30h"], "cache"), (["unused-for=1000h"], ""),
            (["mutable"], "cache"), (["mutable=false"], "one,two"), (["immutable"], "one,two"),
            (["immutable=0"], "cache"),
            (["mutable!=true"], "one,two"), (["private", "immutable", "until=1h"], "one"),
        ] as [([String], String)])
    func chooses(filters: [String], expected: String) throws {
        let scratch = try Scratch()
        let root = try StoreRoot(at: scratch.path.appending("store"))
        let now: Int64 = 1_000_000
        for (name, age) in [("one", 10), ("two", 0)] as [(String, Int64)] {
            try root.cache.save(
                CacheRecord(
                    key: Digest(of: name), kind: "run", description: name, result: "",
                    blobs: [try root.content.save(Array(name.utf8))], createdAt: Timestamp(seconds: now - age * 3600)))
        }
        _ = try root.cacheMounts.acquire(Digest(of: "cache"), named: "cache", .shared) { _ in }
        let info = scratch.path.appending("store/cache-mounts/\(Digest(of: "cache").hex)")
        try Directory(opening: info).setModified("info", FileTime(seconds: now - 40 * 3600))
        let rule = try PruneFilter(filters).rule(now: Timestamp(seconds: now))
        let chosen = try root.pruner.prune([rule], dryRun: true).records.map(\.description)
        #expect(chosen.sorted().joined(separator: ",") == expected)
    }

    /// A result on another one, and an image on that.
    @Test func parentsAreWhatAResultWasMadeOn() throws {
        let scratch = try Scratch()
        let root = try StoreRoot(at: scratch.path.appending("store"))
        let layers = ["a", "b", "c"].map { DiffID(Digest(of: $0)) }
        for (name, count) in [("low", 1), ("middle", 2), ("again", 2), ("high", 3)] {
            try root.cache.save(
                CacheRecord(
                    key: Digest(of: name), kind: "run", description: name, result: "",
                    stack: LayerStack(ofImage: Array(layers.prefix(count))), createdAt: Timestamp(seconds: 1)))
        }
        let config = try root.content.save(Array("config".utf8))
        try root.images.save(
            StoredImage(
                id: config, platform: .host, created: Timestamp(seconds: 1), diffIDs: Array(layers.prefix(2)), size: 1),
            as: [])
        func chosen(_ filter: String) throws -> [String] {
            let rule = try PruneFilter([filter]).rule(now: Timestamp(seconds: 2))
            return try root.pruner.prune([rule], dryRun: true).records.map(\.description).sorted()
        }
        func key(_ name: String) -> String { String(Digest(of: name).hex.prefix(12)) }
        #expect(try chosen("parents=\(key("low"))") == ["again", "middle"])
        #expect(try chosen("parents=\(key("middle"))") == ["high", "image without a name"])
        #expect(try chosen("parents=sha256:\(key("again"))") == ["high", "image without a name"])
        #expect(try chosen("parents!=\(key("low"))") == ["high", "image without a name", "low"])
        #expect(try chosen("parents~=.") == ["again", "high", "image without a name", "middle"])
        #expect(try chosen("parents=\(key("high"))") == [])
    }
}
