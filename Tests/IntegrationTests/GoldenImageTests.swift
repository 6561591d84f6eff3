import SystemPackage
import Testing

/// An image whose bytes BuildKit's own build is known by: config and layers must be the same.
@Suite("Golden image", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct GoldenImageTests {
    private static let dockerfile = """
        FROM scratch AS base
        COPY a.txt /a.txt
        FROM base
        ENV FOO="b <&> r"
        WORKDIR /w
        COPY --chown=7:8 d/ /dst/
        COPY <<E /etc/conf
        v=$FOO
        E
        LABEL k="v w"
        USER 7
        CMD ["/bin/app","-x y"]

        """

    /// BuildKit's image of it with SOURCE_DATE_EPOCH=1700000000 and the label cli=lab, on amd64.
    private static let config = "9f8cd2c9cccea551f3a98950fce693256f1645a699da0e911ac586a998eb7c29"
    private static let manifest = "115b7f26e79bd0290d6f9de2b2cb441e6b93ab94e949149401c75328de9f5e96"
    private static let diffIDs = [
        "3e015d8ee439890163b8fe4665444311edd7f6846cd36c61525fce0d3e7c13cd",
        "a30423ec4f30e088b42b95e94241ce7c485b1507d6834fcebc7a13d9074f5832",
        "1ca55953ffab335283b4a6f7628b9700c763931b85953edde8574e3ea3538d04",
        "9f7e2ec0d586d11ef0f293145a381a4f176125057f2c56cc4bc01b724422ec09",
    ]

    private static let isAMD64 = (try? expectSuccess("uname", "-m").trimmed) == "x86_64"

    @Test(.enabled(if: isAMD64, "the digests are those of linux/amd64")) func hasTheKnownBytes() throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context(Self.dockerfile)
        try scratch.write("hello\n", to: "context/a.txt")
        try scratch.write("x", to: "context/d/sub/f")
        try expectSuccess(
            "sh", "-ec",
            """
            cd "$0"
            ln -s sub/f d/link
            chmod 0644 a.txt d/sub/f
            chmod 0755 d d/sub
            find . -exec touch -h -d 2020-02-02T02:02:02Z {} +
            """, context.string)

        let layout = scratch.path.appending("layout")
        let id = try lamina.build(
            context, "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "--label", "cli=lab", "-t", "example.com/x/y:1",
            "-o", "type=oci,dest=\(layout),tar=false")
        #expect(id == "sha256:\(Self.config)")

        let blobs = layout.appending("blobs/sha256")
        let index = try JSONValue(parsing: text(of: layout.appending("index.json")))
        let descriptor = try #require(index["manifests"]?.array?.first)
        #expect(descriptor["annotations"]?["io.containerd.image.name"]?.string == "example.com/x/y:1")
        #expect(descriptor["annotations"]?["org.opencontainers.image.ref.name"]?.string == "1")
        #expect(descriptor["annotations"]?["org.opencontainers.image.created"]?.string == "2023-11-14T22:13:20Z")
        #expect(try text(of: layout.appending("oci-layout")) == "{\"imageLayoutVersion\":\"1.0.0\"}")

        let manifestDigest = try #require(descriptor["digest"]?.string)
        let manifest = try JSONValue(parsing: text(of: blobs.appending(String(manifestDigest.dropFirst(7)))))
        #expect(manifest["config"]?["digest"]?.string == "sha256:\(Self.config)")
        #expect(manifest["config"]?["size"]?.number == 1592)
        // Compressed bytes are each builder's own; what is in them is not.
        let layers = try #require(manifest["layers"]?.array).compactMap { $0["digest"]?.string?.dropFirst(7) }
        let contents = try layers.map { layer in
            try expectSuccess("sh", "-ec", "gzip -dc < \"$0\" | sha256sum", blobs.appending(String(layer)).string)
                .trimmed.prefix(64)
        }
        #expect(contents.map(String.init) == Self.diffIDs)

        // Uncompressed, with times clamped, the manifest is BuildKit's, too.
        let plain = scratch.path.appending("plain")
        try lamina.build(
            context, "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "--label", "cli=lab", "--no-builder-annotation",
            "-t", "example.com/x/y:1", "-o",
            "type=oci,dest=\(plain),tar=false,compression=uncompressed,force-compression=true,rewrite-timestamp=true")
        let written = try JSONValue(parsing: text(of: plain.appending("index.json")))["manifests"]?.array?.first
        #expect(written?["digest"]?.string == "sha256:\(Self.manifest)")
        #expect(written?["size"]?.number == 1365)
    }
}
