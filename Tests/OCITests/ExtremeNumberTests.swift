import Diagnostics
import OCI
import Testing

/// Documents that hold any number in any field end in an error or in a value, never in a crash.
@Suite struct ExtremeNumberTests {
    private static let numbers = [
        "0", "-0", "1", "-1", "1e3", "1.5", "4294967296", "1125899906842624", "1125899906842625", "4611686018427387904",
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e18", "1e19", "1e400", "-1e400",
        "1e-400",
        "123456789012345678901234567890", "null", "\"1\"", "true",
    ]
    private static let words = [
        "", "v", "v8", "v7", "v-1", "v9223372036854775807", "v-9223372036854775808", "vnan", "vinf", "v1e300", "v8.9",
        "v8.99", "v255", "v256", "v8.-1", "8",
    ]
    private static let times = [
        "2023-11-14T22:13:20Z", "2023-11-14T22:13:20+9223372036854775807:00", "9999-12-31T99:99:99-99:99",
        "0000-01-01T00:00:00+99:99", "-999-01-01T00:00:00Z", "2023-11-14T22:13:20.99999999999999999999Z",
        "2023-11-14T22:13:20+1:", "+023-11-14T22:13:20Z",
    ]

    private static let digest = "sha256:" + String(repeating: "a", count: 64)
    /// `N` stands for a number, `V` for a variant, `T` for a time.
    private static let manifest = """
        {"schemaVersion":N,"config":{"mediaType":"c","digest":"\(digest)","size":N},"layers":[{"mediaType":"l",\
        "digest":"\(digest)","size":N},{"mediaType":"l","digest":"\(digest)","size":N}],"annotations":{"a":N}}
        """
    private static let index = """
        {"schemaVersion":N,"manifests":[{"mediaType":"m","digest":"\(digest)","size":N,"platform":{"os":"linux",\
        "architecture":"arm64","variant":V}},{"mediaType":"m","digest":"\(digest)","size":N,"platform":{"os":"linux",\
        "architecture":"arm","variant":V}},{"mediaType":"m","digest":"\(digest)","size":N,"platform":{"os":"linux",\
        "architecture":"amd64","variant":V}}]}
        """
    private static let config = """
        {"architecture":"arm64","variant":V,"os":"linux","created":T,"config":{"Healthcheck":{"Interval":N,"Timeout":N,\
        "StartPeriod":N,"StartInterval":N,"Retries":N},"Env":N,"Labels":N},"history":[{"created":T,"empty_layer":N}],\
        "rootfs":{"diff_ids":N}}
        """

    /// The document with each mark replaced by the next of a run of values that begins somewhere.
    private static func document(_ template: String, _ seed: Int) -> [UInt8] {
        var number = seed
        var text = ""
        for character in template {
            number = (number &* 1_103_515_245 &+ 12345) & 0x7fff_ffff
            switch character {
            case "N": text += numbers[(number >> 8) % numbers.count]
            case "V": text += "\"\(words[(number >> 8) % words.count])\""
            case "T": text += "\"\(times[(number >> 8) % times.count])\""
            default: text.append(character)
            }
        }
        return Array(text.utf8)
    }

    private static func survives<Value>(_ body: () throws -> Value) -> Value? {
        do { return try body() } catch let error as any AnyFailure {
            #expect(!error.message.isEmpty)
        } catch {
            Issue.record(error)
        }
        return nil
    }

    @Test(arguments: 0..<500) func `any number in any field of a document is survived`(_ seed: Int) throws {
        if let manifest = Self.survives({ try Manifest(parsing: Self.document(Self.manifest, seed)) }) {
            #expect((0...Descriptor.sizeLimit).contains(manifest.layers.clampedSum(\.size)))
            #expect(try Manifest(parsing: manifest.encoded).layers == manifest.layers)
        }
        if let index = Self.survives({ try Index(parsing: Self.document(Self.index, seed)) }) {
            for wanted in ["linux/arm64", "linux/arm/v7", "linux/amd64/v3", "linux/arm64/v9"] {
                _ = Self.survives { try index.manifest(for: try Platform(parsing: wanted)) }
            }
        }
        if let config = Self.survives({ try ImageConfig(parsing: Self.document(Self.config, seed)) }) {
            #expect(try ImageConfig(parsing: config.encoded).config == config.config)
        }
    }

    @Test(arguments: words, words) func `platforms of any variant are compared`(_ one: String, _ other: String) {
        for name in ["arm", "arm64", "amd64"] {
            let left = Platform(os: "linux", architecture: name, variant: one)
            for wanted in ["arm", "arm64", "amd64"] {
                if let distance = left.distance(from: Platform(os: "linux", architecture: wanted, variant: other)) {
                    #expect(distance >= 0)
                }
            }
        }
    }

    @Test(arguments: [Int64.min, .min + 1, -1, 0, .max - 1, .max]) func `any moment has a text`(_ seconds: Int64) {
        #expect(Timestamp(seconds: seconds).description.hasSuffix("Z"))
    }

    @Test(arguments: [("1125899906842625", false), ("1125899906842624", true)])
    func `a size of more than a pebibyte is refused`(_ size: String, _ isTaken: Bool) {
        let layer = #"{"mediaType":"l","digest":"\#(Self.digest)","size":\#(size)}"#
        let config = #"{"mediaType":"c","digest":"\#(Self.digest)","size":2}"#
        func manifest(_ layers: [String]) throws -> Manifest {
            let text = #"{"schemaVersion":2,"config":\#(config),"layers":[\#(layers.joined(separator: ","))]}"#
            return try Manifest(parsing: Array(text.utf8))
        }
        #expect(((try? manifest([layer])) != nil) == isTaken)
        #expect(throws: ManifestError.self) { try manifest([layer, layer]) }
    }

    @Test func `sums that do not fit are the nearest number there is`() {
        #expect([Int64.max, 1, 5].clampedSum(\.self) == .max)
        #expect([Int64(1) << 62, 1 << 62, 1 << 62].clampedSum(\.self) == .max)
        #expect(Int64.min.addingClamped(-1) == .min)
        #expect(Int64.min.subtractingClamped(1) == .min)
        #expect(Int64.max.subtractingClamped(-1) == .max)
        #expect(Int64(3).subtractingClamped(5) == -2)
    }
}
