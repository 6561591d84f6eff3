import Advice
import Inspector
import Layers
import Linux
import OCI
import SystemPackage
import Testing

private struct NoContents: LayerContents {
    func directory(of layer: Int) throws -> FilePath? { nil }
    func blob(of layer: Int) throws -> (any ByteStream)? { nil }
}

@Suite struct AdviceTests {
    /// A layer by its command and files: a path, a size in kB, and a letter for the content, or `-` for a removal.
    private struct TestLayer {
        let command: String
        let files: [String]
    }

    private func advice(_ layers: [TestLayer], bases: Int = 0) throws -> [String] {
        let inputs = try layers.map { layer in
            let entries = try layer.files.map { line in
                let words = line.split(separator: " ")
                if words[1] == "-" { return LayerEntry(path: PathBytes(words[0]), kind: .whiteout) }
                return LayerEntry(
                    path: PathBytes(words[0]), kind: .regular, permissions: words.count > 3 ? 0o600 : 0o644,
                    size: try #require(Int64(words[1])) * 1000,
                    contentHash: UInt64(try #require(words[2].utf8.first)))
            }
            return AnalyzedLayerInput(
                diffID: .empty, fileList: FileList(entries, tarSize: 0), createdBy: layer.command)
        }
        let image = InspectedImage(
            config: ImageConfig(platform: .host), layers: inputs, contents: NoContents())
        let origins = layers.indices.map { LayerOrigin(lines: $0...$0, text: "", isBase: $0 < bases) }
        return try Advice.advice(for: image, origins: origins).map { advice in
            let cause = advice.cause.map { " by \($0)" } ?? ""
            let paths = advice.examples.map(\.text).joined(separator: " ")
            return "\(advice.kind.name) \(advice.files.bytes / 1000) in \(advice.layer)\(cause): \(paths)"
        }
    }

    @Test func uselessFilesAreAdvisedByWhatMadeThemSo() throws {
        #expect(
            try advice([
                TestLayer(command: "RUN make", files: ["a 100 a", "b 200 b", "c 300 c", "d 400 d"]),
                TestLayer(command: "COPY x /", files: ["a -", "b 210 B", "c 300 c x"]),
                TestLayer(command: "RUN chown", files: ["d 400 d x"]),
            ]) == [
                "metadata-copy 400 in 0 by 2: d", "copied-twice 300 in 0 by 1: c", "replaced-later 200 in 0 by 1: b",
                "deleted-later 100 in 0 by 1: a",
            ])
    }

    @Test func filesOfTheBaseAreAdvisedTogether() throws {
        #expect(
            try advice(
                [
                    TestLayer(command: "ADD rootfs", files: ["big 500 a", "var/lib/apt/lists/x_y 100 l"]),
                    TestLayer(command: "RUN x", files: ["old 50 o", "copy 500 a"]),
                    TestLayer(command: "RUN y", files: ["big -", "old -"]),
                ], bases: 2) == ["base-content 550 in 1: big old"])
    }

    @Test func pathsTellWhatFilesAreFor() throws {
        let files = [
            "var/lib/apt/lists/a_b 10 a", "var/cache/apt/archives/x.deb 20 b", "app/.git/objects/1 30 c",
            "app/__pycache__/x.pyc 40 d", "app/main.o 50 e", "usr/lib/debug/x 60 f", "target/debug/y 70 g",
            "keep 80 h", "app/prog.debug 90 i",
        ]
        #expect(
            try advice([TestLayer(command: "COPY . / # buildkit", files: files)]) == [
                "build-artefacts 160 in 0: target/debug app/main.o app/__pycache__",
                "debug-symbols 150 in 0: app/prog.debug usr/lib/debug/x",
                "package-cache 30 in 0: var/cache/apt/archives var/lib/apt/lists", "version-control 30 in 0: app/.git",
            ])
        // What a RUN compiles may be meant.
        #expect(
            try !advice([TestLayer(command: "RUN make", files: files)]).contains { $0.hasPrefix("build-artefacts") })
        #expect(
            try advice([TestLayer(command: "/bin/sh -c #(nop) COPY dir:1 in / ", files: ["x.o 9 x"])])
                == ["build-artefacts 9 in 0: x.o"])
    }

    @Test func theFirstOfEqualFilesStays() throws {
        #expect(
            try advice(
                [
                    TestLayer(command: "FROM", files: ["z 100 a"]),
                    TestLayer(command: "RUN", files: ["a 100 a", "b 7 b", "c 7 b", "d 7 b", "e 7 x"]),
                ], bases: 1) == ["duplicates 114 in 1: a c d"])
    }

    @Test func littleIsNotWorthAnAdvice() throws {
        #expect(try advice([TestLayer(command: "COPY", files: ["x.o 3 a", "big 9000 b"])]) == [])
        #expect(try advice([TestLayer(command: "COPY", files: ["x.o 8 a", "big 9000 b"])]) == [])
        #expect(try advice([]) == [])
    }
}
