import SystemPackage
import Testing

/// Layers that clients fetch in parts, read as their specifications say and by programs that know nothing of them.
@Suite(
    "Layers fetched in parts",
    .enabled(if: Machine.isRoot && Machine.has("python3") && Machine.has("skopeo"), "needs root, python3 and skopeo"))
struct LazyLayerTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["SOURCE_DATE_EPOCH": "1"])
        let context = try scratch.context(
            """
            FROM scratch
            COPY first /usr/
            COPY second /etc/
            """)
        try expectSuccess(
            "sh", "-ec",
            """
            cd "$0" && mkdir first second && head -c 100000 /dev/zero | tr '\\0' x >first/large && printf y >first/small
            { printf begin; head -c 5000 /dev/zero; printf end; } >second/holes && ln -s holes second/link
            """, context.string)
        try scratch.write("/etc/holes\n", to: "list")
    }

    private func path(_ name: String) -> String { scratch.path.appending(name).string }

    /// The findings of the reader of the specification about each layer of an image in a layout.
    private func read(_ format: String, in layout: String) throws -> [JSONValue] {
        func document(_ digest: String) throws -> JSONValue {
            try JSONValue(parsing: text(of: FilePath("\(layout)/blobs/sha256/\(digest.dropFirst(7))")))
        }
        let index = try JSONValue(parsing: text(of: FilePath("\(layout)/index.json")))
        let manifest = try document(try #require(index["manifests"]?.array?.first?["digest"]?.string))
        let config = try document(try #require(manifest["config"]?["digest"]?.string))
        let keys =
            format == "estargz"
            ? ["containerd.io/snapshot/stargz/toc.digest", "io.containers.estargz.uncompressed-size"]
            : ["manifest-checksum", "manifest-position", "tarsplit-position"].map {
                "io.github.containers.zstd-chunked.\($0)"
            }
        let said = try (manifest["layers"]?.array ?? []).map { layer in
            let facts = try keys.map { try #require(layer["annotations"]?[$0]?.string) }
            let blob = "\(layout)/blobs/sha256/\(try #require(layer["digest"]?.string).dropFirst(7))"
            let script = Lamina.packageRoot.appending("testdata/lazy/read.py").string
            let words = ["python3", script, format, blob] + facts
            let finished = try RunningProcess(words).wait()
            try #require(finished.status == 0, "\(finished.errorText)")
            return try JSONValue(parsing: finished.outputText)
        }
        #expect(said.compactMap { $0["diffID"]?.string } == config["rootfs"]?["diff_ids"]?.strings)
        return said
    }

    private func unpack(_ archive: String) throws -> String {
        try expectSuccess("sh", "-ec", "mkdir \"$0.d\" && tar -xf \"$0\" -C \"$0.d\"", archive)
        return "\(archive).d"
    }

    @Test("Outputs have the formats, the same from two stores, and skopeo takes them")
    func outputs() throws {
        let context = scratch.path.appending("context")
        let options = [
            "--estargz-prefetch", path("list"), "-o", "type=oci,dest=\(path("e.tar")),compression=estargz",
            "-o", "type=oci,dest=\(path("z")),tar=false,compression=zstd:chunked",
        ]
        try lamina.succeeding(["build", "-q"] + options + [context.string])
        let stargz = try read("estargz", in: unpack(path("e.tar")))
        #expect(stargz.map { $0["landmark"]?.string } == [".no.prefetch.landmark", ".prefetch.landmark"])
        #expect(stargz[1]["first"]?.strings == ["etc/", "etc/holes"])
        #expect(stargz[0]["pieces"]?.number == 3)
        let chunked = try read("zstd:chunked", in: path("z"))
        #expect(chunked.map { $0["holes"]?.number } == [0, 1])
        try expectSuccess("skopeo", "copy", "oci-archive:\(path("e.tar"))", "docker-archive:\(path("copied.tar"))")
        try expectSuccess("skopeo", "copy", "oci:\(path("z"))", "dir:\(path("copied"))")
        let other = Lamina(root: scratch.path.appending("other")).with(["SOURCE_DATE_EPOCH": "1"])
        try other.build(
            context, "--compression-format", "estargz", "--estargz-prefetch", path("list"),
            "-o", "type=oci,dest=\(path("again.tar"))")
        let again = try unpack(path("again.tar"))
        try expectSuccess("diff", "-r", "\(path("e.tar.d"))/blobs", "\(again)/blobs")
    }

    @Test("A copy gets the formats, and none that is left keeps the annotations of another")
    func copies() throws {
        let context = scratch.path.appending("context")
        try lamina.build(context, "-t", "copied")
        for format in ["estargz", "zstd:chunked"] {
            let layout = path("copy-\(format.prefix(4))")
            try lamina.succeeding("copy", "--dest-compress-format", format, "lamina:copied", "oci:\(layout):1")
            #expect(try read(format, in: layout).count == 2)
            let usual = path("usual-\(format.prefix(4))")
            let other = format == "estargz" ? "zstd" : "gzip"
            try lamina.succeeding("copy", "--dest-compress-format", other, "oci:\(layout):1", "oci:\(usual):1")
            let raw = try expectSuccess("skopeo", "inspect", "--raw", "oci:\(usual):1").outputText
            #expect(!raw.contains("stargz") && !raw.contains("zstd-chunked"), "\(raw)")
        }
    }

    @Test(
        "What cannot be is refused in one sentence",
        arguments: [
            (["-o", "type=image,compression=estargz,oci-mediatypes=false"], "need OCI's media types"),
            (["--estargz-prefetch", "list"], "no output has such"),
            (["--estargz-prefetch", "missing", "--compression-format", "estargz"], "missing"),
            (
                ["--estargz-prefetch", "wrong", "--compression-format", "estargz"],
                "'/etc/nothing', which no new layer has"
            ),
        ])
    func refuses(options: [String], words: String) throws {
        try scratch.write("/etc/nothing\n", to: "wrong")
        let finished = try lamina.start(
            ["build", scratch.path.appending("context").string] + options, in: scratch.path
        ).wait()
        #expect(finished.status != 0)
        #expect(finished.errorText.contains(words), "\(finished.errorText)")
    }
}
