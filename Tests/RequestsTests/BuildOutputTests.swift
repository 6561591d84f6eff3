import Diagnostics
import LazyLayers
import OCI
import Requests
import SystemPackage
import Testing

@Suite("Outputs of a build")
struct BuildOutputTests {
    private static func names(_ texts: String...) throws -> [ImageReference] {
        try texts.map { try ImageReference(parsing: $0) }
    }

    @Test(
        "A directory and a dash are files of the result",
        arguments: [
            ("out", BuildOutput.directory("out")), ("-", .tar("-")), ("type=local,dest=x", .directory("x")),
            ("type=local,dest=x,mode=copy", .directory("x")),
            ("type=local,dest=x,mode=delete", .directory("x", deletesOthers: true)), ("type=tar,dest=-", .tar("-")),
            ("type=cacheonly", .none),
        ])
    func filesAreParsed(_ text: String, _ output: BuildOutput) throws {
        #expect(try BuildOutput.parse(text) == output)
    }

    @Test("The attributes of an image are its form")
    func attributesAreTheForm() throws {
        let text = """
            type=image,"name=a:1,b",push=1,compression=zstd,compression-level=19,force-compression=,\
            rewrite-timestamp=true,source-date-epoch=7,annotation.Key=V=1,annotation-manifest[linux/arm64].b=2,\
            annotation-index-descriptor.c=3,buildinfo=false,unpack=false,prefer-nondist-layers=0,oci-artifact=true,\
            name-canonical=t,dangling-name-prefix=x/y,danging-name-empty-only=true,store=true
            """
        guard case .push(let settings) = try BuildOutput.parse(text) else {
            Issue.record("it is no push")
            return
        }
        #expect(settings.names == (try Self.names("a:1", "b")))
        #expect(settings.layers.compression == .zstd)
        #expect(settings.layers.level == 19)
        #expect(settings.layers.isForced)
        #expect(settings.times == .clamped)
        #expect(settings.epoch == 7)
        #expect(settings.annotations.map(for: .manifest, platform: .host) == ["Key": "V=1"])
        let arm = try Platform(parsing: "linux/arm64")
        #expect(settings.annotations.map(for: .manifest, platform: arm) == ["Key": "V=1", "b": "2"])
        #expect(settings.annotations.map(for: .indexDescriptor) == ["c": "3"])
        #expect(settings.attestsWithArtifacts == true)
        #expect(settings.naming.isCanonical)
        #expect(settings.naming.danglingPrefix == (try Self.names("x/y")[0].with(tag: nil, digest: nil)))
        #expect(settings.naming.danglesUnnamedOnly)
        #expect(!settings.isPlain)
    }

    @Test(
        "An output without attributes needs nothing to be made",
        arguments: [
            "type=image", "type=registry,name=a", "type=docker", "type=oci,dest=x", "type=image,annotation.a=b",
            "type=image,unpack=true,compression-level=-1,oci-mediatypes=true",
        ])
    func plainOutputsArePlain(_ text: String) throws {
        let settings = try #require(try BuildOutput.parse(text).settings)
        #expect(settings.isPlain == !text.contains("compression"))
    }

    @Test("What an attribute does not say comes from the options of the build")
    func defaultsAreKept() throws {
        var defaults = ImageSettings()
        defaults.usesOCITypes = false
        try defaults.layers.setCompression("zstd")
        try defaults.layers.setLevel("3")
        let kept = try #require(try BuildOutput.parse("type=registry,name=a", defaults).settings)
        #expect(!kept.usesOCITypes)
        #expect(kept.layers.level == 3)
        let changed = try #require(
            try BuildOutput.parse("type=registry,name=a,oci-mediatypes=true,compression=gzip", defaults).settings)
        #expect(changed.usesOCITypes)
        #expect(changed.layers.compression == .gzip)
        #expect(changed.layers.level == nil)
    }

    @Test(
        "A format that clients fetch in parts has a compression, and the levels of that",
        arguments: [("estargz", Compression.gzip, LazyFormat.estargz, "9"), ("zstd:chunked", .zstd, .chunked, "19")])
    func formatsHaveACompression(name: String, compression: Compression, format: LazyFormat, level: String) throws {
        let parsed = try BuildOutput.parse("type=registry,name=a,compression=\(name),compression-level=\(level)")
        let settings = try #require(parsed.settings)
        #expect(settings.layers.compression == compression)
        #expect(settings.layers.format == format)
        #expect(settings.layers.level == Int(level))
        #expect(!settings.isPlain)
        let other = try #require(try BuildOutput.parse("type=registry,compression=gzip", settings).settings)
        #expect(other.layers.format == nil)
    }

    @Test("A push by digest has names without tags")
    func digestsNeedNoTags() throws {
        let output = try BuildOutput.parse("type=registry,name=localhost:5000/a,push-by-digest=true")
        #expect(output.settings?.names.map(\.description) == ["localhost:5000/a"])
        #expect(throws: RequestsError.self) {
            try BuildOutput.parse("type=registry,name=localhost:5000/a:1,push-by-digest=true")
        }
    }

    @Test func insecureRegistriesAreThoseOfOutputsAndCachesThatSayIt() throws {
        var request = BuildRequest(context: ".")
        request.tags = [try ImageReference(parsing: "tag.test/a")]
        request.caches.imports = try ["in.test/a", "no.test/a,registry.insecure=false"].map {
            try CacheImport.parse("type=registry,registry.insecure=true,ref=\($0)", environment: [:])
        }
        request.caches.exports = [try CacheExport.parse("type=registry,ref=other.test/a", environment: [:])]
        #expect(request.insecureRegistries == ["in.test"])
        request.outputs = [try BuildOutput.parse("type=registry,name=out.test/a,registry.insecure=true")]
        #expect(request.insecureRegistries == ["out.test", "tag.test", "in.test"])
    }

    @Test(
        "What is not known, or is no value, is refused by name",
        arguments: [
            ("type=oci", "needs a destination"), ("type=nothing,dest=x", "'nothing'"),
            ("type=oci,dest=x,color=red", "'color'"),
            ("type=cacheonly,dest=x", "'dest'"), ("type=local,dest=x,compression=zstd", "'compression'"),
            ("type=image,compression=stargz", "'stargz'"), ("type=image,compression=lzma", "'lzma'"),
            ("type=image,compression-level=10", "'10'"), ("type=image,compression=zstd,compression-level=23", "'23'"),
            ("type=image,compression=uncompressed,compression-level=1", "level"), ("type=image,push=maybe", "'maybe'"),
            ("type=image,oci-mediatypes=false,annotation.a=b", "oci-mediatypes=false"),
            ("type=image,rewrite-timestamp=true,unpack=true", "unpack"), ("type=image,store=false", "store"),
            ("type=image,registry.insecure=maybe", "registry.insecure"), ("type=image,annotation-layer.a=b", "'layer'"),
            ("type=image,annotation-index[linux/arm64].a=b", "platform"), ("type=image,annotation.=b", "'annotation.'"),
            ("type=image,source-date-epoch=noon", "noon"), ("type=local,dest=x,mode=move", "mode=move"),
            ("type=docker,dest=x,tar=false", "type=oci,tar=false"), ("type=image,name=a@sha256:b", "invalid reference"),
            ("dest=x", "type"), ("type=image,name", "'name'"), ("type=oci,dest=x,push=true", "'push'"),
        ])
    func badAttributesAreRefused(_ text: String, _ part: String) throws {
        let error = #expect(throws: (any Error).self) { try BuildOutput.parse(text) }
        let failure = try #require(error as? any AnyFailure)
        #expect("\(failure.message) \(failure.hint ?? "")".contains(part), "\(failure.message)")
    }
}

@Suite("Annotations of an image")
struct ImageAnnotationTests {
    @Test(
        "A type and a platform stand before the key",
        arguments: [
            ("a=b", [ImageAnnotation(key: "a", value: "b")]),
            ("a=b=c", [ImageAnnotation(key: "a", value: "b=c")]),
            ("a=", [ImageAnnotation(key: "a", value: "")]),
            ("manifest:urn:x=1", [ImageAnnotation(key: "urn:x", value: "1")]),
            ("index:a=b", [ImageAnnotation(.index, key: "a", value: "b")]),
            (
                "index,manifest-descriptor[linux/arm64]:a=b",
                [
                    ImageAnnotation(.index, key: "a", value: "b"),
                    ImageAnnotation(
                        .manifestDescriptor, platform: Platform(os: "linux", architecture: "arm64"), key: "a",
                        value: "b"),
                ]
            ),
        ])
    func typesAreParsed(_ text: String, _ annotations: [ImageAnnotation]) throws {
        #expect(try ImageAnnotation.parse(text) == annotations)
    }

    @Test(
        "An annotation without a value, a key or a known type is refused",
        arguments: ["a", "=b", "urn:x=1", "layer:a=b", "index[linux/arm64]:a=b", "manifest[linux/arm64:a=b", ":a=b"])
    func othersAreRefused(_ text: String) {
        #expect(throws: (any Error).self) { try ImageAnnotation.parse(text) }
    }

    @Test(
        "An annotation without a place is refused before anything is built",
        arguments: [
            ("index:a=b", false), ("index-descriptor:a=b", false), ("manifest[linux/s390x]:a=b", false),
            ("manifest-descriptor:a=b", true), ("a=b", true),
        ])
    func placesAreChecked(_ text: String, _ isGood: Bool) throws {
        var request = BuildRequest(context: ".")
        var settings = ImageSettings()
        settings.annotations = try ImageAnnotation.parse(text)
        request.outputs = [.store(settings)]
        let platforms = [Platform(os: "linux", architecture: "amd64")]
        #expect((try? request.checkOutputs(platforms: platforms, hasIndex: false)) != nil || !isGood)
        #expect((try? request.checkOutputs(platforms: platforms, hasIndex: false)) == nil || isGood)
    }
}
