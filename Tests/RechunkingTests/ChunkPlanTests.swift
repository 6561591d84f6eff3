import Testing

@testable import Rechunking

@Suite struct ChunkPlanTests {
    /// Parts by names: a package is `name:bytes:age`, what no package owns begins with a slash. `@2` says that a former
    /// image has it in its chunk 2.
    private static func parts(_ text: String) throws -> [ImagePart] {
        try text.split(separator: " ").map { word in
            let halves = word.split(separator: "@")
            let fields = halves[0].split(separator: ":").map(String.init)
            var part = ImagePart(name: fields[0], isPackage: !fields[0].hasPrefix("/"))
            part.bytes = try #require(Int64(fields[1]))
            part.newest = try #require(Int64(fields[2]))
            part.former = halves.count > 1 ? Int(halves[1]) : nil
            return part
        }
    }

    /// The names in each chunk: `a,b c` are two chunks.
    private static func plan(_ text: String, limit: Int, former: Int = 0) throws -> String {
        let parts = try parts(text)
        let chunks = ChunkPlan.chunks(of: parts, limit: limit, formerCount: former)
        #expect(chunks.joined().sorted() == Array(parts.indices))
        #expect(chunks.count <= limit)
        return chunks.map { chunk in chunk.map { parts[$0].name }.sorted().joined(separator: ",") }
            .joined(separator: " ")
    }

    @Test(arguments: [
        // Each part has a chunk of its own where there are enough; the oldest come first.
        ("a:5:30 b:9:10 /app:1:99", 8, "b a /app"),
        ("a:5:30 b:9:10 /app:1:99", 3, "b a /app"),
        // The largest stay alone, the rest is grouped by age.
        ("big:900:5 a:10:1 b:10:2 c:10:8 d:10:9", 3, "big a,b c,d"),
        ("big:900:5 a:10:1 b:10:2 c:10:8 d:10:9", 1, "a,b,big,c,d"),
        // Packages and others do not mix.
        ("a:9:1 b:9:2 c:9:3 /app:1:9 /srv/x:1:8", 4, "a b c /app,/srv/x"),
        ("a:9:1 /app:1:9", 1, "/app,a"),
        ("/app:1:9 /etc:5:1 /usr/share:7:3", 2, "/usr/share /app,/etc"),
        ("a:0:0 b:0:0 c:0:0", 2, "a b,c"),
    ])
    func partsShareChunksByKindSizeAndAge(_ text: String, _ limit: Int, _ expected: String) throws {
        #expect(try Self.plan(text, limit: limit) == expected)
    }

    @Test(arguments: [
        // The order and the members of the former image stay, whatever size and age say now.
        ("a:5:30@1 b:9:10@0 c:900:1@1", 8, 2, "b a,c"),
        // A new part gets a chunk that has become empty, else one of its own, else the smallest of its kind.
        ("a:5:30@0 c:3:4@2 new:7:1", 8, 3, "a new c"),
        ("a:5:30@0 new:7:1 /app:1:1@1", 8, 2, "a /app new"),
        ("a:5:30@0 b:6:1@1 new:7:1 /app:1:1@2", 3, 3, "a,new b /app"),
        // More chunks than are allowed now: all is divided anew.
        ("a:5:30@1 b:9:10@0 c:9:50@2", 2, 3, "b a,c"),
    ])
    func aFormerImageSaysWhatStaysTogether(_ text: String, _ limit: Int, _ former: Int, _ expected: String) throws {
        #expect(try Self.plan(text, limit: limit, former: former) == expected)
    }

    @Test func planningDoesNotDependOnTheOrderOfParts() throws {
        let words = (0..<200).map { "p\($0):\(($0 * 7919) % 1000):\(($0 * 104729) % 50)" }
        let one = try Self.plan(words.joined(separator: " "), limit: 20)
        let other = try Self.plan(words.reversed().joined(separator: " "), limit: 20)
        #expect(one == other)
    }
}
