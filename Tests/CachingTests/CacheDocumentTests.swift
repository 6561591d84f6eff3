import Diagnostics
import Images
import OCI
import SystemPackage
import Testing
import Trees

@testable import Caching

/// The records of a cache as they travel.
@Suite struct CacheDocumentTests {
    private static let sample: CacheDocument = {
        var document = CacheDocument()
        document.layers = [
            CacheDocument.Layer(diffID: DiffID(Digest(of: "base")), blob: nil),
            CacheDocument.Layer(diffID: DiffID(Digest(of: "step")), blob: Digest(of: "blob")),
        ]
        document.records = [
            CacheDocument.Record(
                kind: "run", description: "[2/2] RUN make \u{1b}", keys: [Digest(of: "a"), Digest(of: "b")],
                parts: [
                    CacheDocument.Part(layer: 0, created: nil),
                    CacheDocument.Part(layer: 1, created: Timestamp(seconds: 5, nanoseconds: 7)),
                ], created: Timestamp(seconds: 6))
        ]
        return document
    }()

    @Test func survivesTheJourney() throws {
        let bytes = Self.sample.json.encoded()
        #expect(try CacheDocument(json: JSON(parsing: bytes)) == Self.sample)
        #expect(try CacheDocument(json: CacheDocument().json) == CacheDocument())
    }

    @Test func leavesOutWhatItDoesNotKnow() throws {
        let text = Self.sample.json.text().replacing("\"kind\":\"run\"", with: "\"kind\":\"dance\",\"new\":[1]")
        let document = try CacheDocument(json: JSON(parsing: text))
        #expect(document.records.isEmpty)
        #expect(document.layers == Self.sample.layers)
    }

    /// Each replaces a piece of the sample.
    @Test(arguments: [
        ("\"version\":1", "\"version\":2"),
        ("\"version\":1,", ""),
        ("\"layer\":1", "\"layer\":2"),
        ("\"layer\":1", "\"layer\":-1"),
        ("\"layer\":1", "\"layer\":9223372036854775807"),
        ("\"layer\":0", "\"layer\":\"0\""),
        ("1970-01-01T00:00:05.000000007Z", "yesterday"),
        ("\"created\":\"1970-01-01T00:00:06Z\"", "\"made\":1"),
        ("sha256:", "md5:"),
        ("\"keys\":[", "\"keys\":[5,"),
        ("\"records\":[", "\"records\":[7,"),
        ("\"layers\":[{\"diffID\"", "\"layers\":[{\"diff\""),
    ])
    func refusesNonsense(_ edit: (old: String, new: String)) throws {
        let text = Self.sample.json.text()
        #expect(text.contains(edit.old))
        let json = try JSON(parsing: text.replacing(edit.old, with: edit.new))
        #expect(throws: (any Error).self) { try CacheDocument(json: json) }
    }

    @Test func refusesMoreThanAnyBuildHas() throws {
        let keys = JSON.array((0..<100).map { .string("\(Digest(of: "\($0)"))") })
        let record = JSON.object(
            ("kind", .string("run")), ("keys", keys), ("layers", .array([])),
            ("created", .string("1970-01-01T00:00:00Z")))
        let document = JSON.object(("version", .integer(1)), ("layers", .array([])), ("records", .array([record])))
        #expect(throws: CachingError.self) { try CacheDocument(json: document) }
    }

    @Test(arguments: [
        BlobLocation.registry("localhost:5000", repository: "a/b"), .registry("docker.io", repository: "library/x"),
        .layout("/a b/c"),
    ])
    func locationsSurvive(_ location: BlobLocation) {
        #expect(BlobLocation(decoding: location.encoded) == location)
    }

    @Test(arguments: ["", "registry", "registry a", "layout", "ftp x", "s3 {}", "s3 nonsense"])
    func locationsOfOtherFormsAreNone(_ text: String) { #expect(BlobLocation(decoding: text) == nil) }
}
