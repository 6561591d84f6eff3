import SystemPackage
import Testing

/// Images made of others without a build, read by other tools.
@Suite("Editing", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct EditingTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["SOURCE_DATE_EPOCH": "1700000000"])
        try lamina.build(
            try scratch.context(
                """
                FROM scratch
                COPY <<E /base
                old base
                E
                COPY <<E /etc/shared
                from the base
                E
                ENV PATH=/bin FROM_BASE=1
                CMD ["/base"]

                """, named: "base"), "-t", "base:1")
        try lamina.build(
            try scratch.context(
                """
                FROM scratch
                COPY <<E /base
                new base
                E
                ENV PATH=/usr/bin
                CMD ["/base"]

                """, named: "newer"), "-t", "base:2")
        try lamina.build(
            try scratch.context(
                """
                FROM base:1
                COPY Dockerfile /app/one
                COPY Dockerfile /app/two
                COPY --chmod=600 Dockerfile /app/one
                LABEL keep=1

                """, named: "app"), "-t", "app")
    }

    private func config(_ image: String) throws -> JSONValue {
        let layout = scratch.path.appending("layout-\(image.replacing(":", with: "-"))")
        try lamina.succeeding("save", "--format", "oci-dir", "-o", layout.string, image)
        return try JSONValue(
            parsing: expectSuccess("skopeo", "inspect", "--config", "oci:\(layout)").outputText)
    }

    private func names(_ image: String) throws -> [String] {
        try lamina.succeeding("export", "-o", scratch.path.appending("files.tar").string, image)
        let text = try expectSuccess("tar", "-tf", scratch.path.appending("files.tar").string).outputText
        return text.split(separator: "\n").map(String.init).filter { !$0.hasSuffix("/") }.sorted()
    }

    private func layerCount(_ image: String) throws -> Int {
        try config(image)["rootfs"]?["diff_ids"]?.array?.count ?? 0
    }

    private func history(_ image: String) throws -> [String] {
        (try config(image)["history"]?.array ?? []).compactMap { $0["created_by"]?.string }
    }

    @Test("Provenance says what an edited image was made of and how, the same for the same edit")
    func provenance() throws {
        let layout = scratch.path.appending("attested")
        func blob(_ descriptor: JSONValue?) throws -> JSONValue {
            let hex = try #require(descriptor?["digest"]?.string).dropFirst(7)
            return try JSONValue(parsing: text(of: layout.appending("blobs/sha256/\(hex)")))
        }
        let edits = [
            ["mutate", "--provenance", "-l", "a=b", "--annotation", "note=x", "-t", "edited", "app"],
            ["rebase", "--provenance=true", "--old-base", "base:1", "-t", "edited", "app", "base:2"],
        ]
        let expected = [
            (["LABEL a=b", "annotation note=x"], ["pkg:docker/app@latest?"]),
            (
                ["rebase from base:1 to base:2"],
                ["pkg:docker/app@latest?", "pkg:docker/base@1?", "pkg:docker/base@2?"]
            ),
        ]
        for (edit, (changes, materials)) in zip(edits, expected) {
            var digests: Set<String> = []
            for _ in 1...2 {
                try lamina.succeeding(edit)
                try lamina.succeeding("save", "--format", "oci-dir", "-o", layout.string, "edited")
                let top = try JSONValue(parsing: text(of: layout.appending("index.json")))["manifests"]?.array?.first
                digests.insert(try #require(top?["digest"]?.string))
                let entries = try #require(try blob(top)["manifests"]?.array)
                #expect(entries.count == 2)
                let statement = try blob(blob(entries.last)["layers"]?.array?.first)
                #expect(
                    "sha256:\(statement["subject"]?.array?.first?["digest"]?["sha256"]?.string ?? "")"
                        == entries.first?["digest"]?.string)
                let definition = try #require(statement["predicate"]?["buildDefinition"])
                #expect(definition["externalParameters"]?["command"]?.string == edit[0])
                #expect(
                    definition["externalParameters"]?["changes"]?.array?.compactMap(\.string) == changes)
                let found = (definition["resolvedDependencies"]?.array ?? []).compactMap { $0["uri"]?.string }
                #expect(found.count == materials.count && zip(found, materials).allSatisfy { $0.hasPrefix($1) })
                try expectSuccess("rm", "-r", layout.string)
            }
            #expect(digests.count == 1)
            let rebuilt = try lamina("rebuild", "edited")
            #expect(rebuilt.status == 1 && rebuilt.errorText.contains("no provenance that says how to build it"))
        }
        try lamina.succeeding("fsck")
    }

    @Test func theConfigChangesAndTheLayersStay() throws {
        try lamina.succeeding(
            "mutate", "-t", "changed", "-e", "A=b c", "--unsetenv", "FROM_BASE", "-l", "team=web", "--unsetlabel",
            "keep",
            "--entrypoint", #"["/app/one"]"#, "--cmd", "", "-u", "1000", "-w", "/app", "--annotation", "note=x", "app")
        let made = try config("changed")
        #expect(made["config"]?["Env"]?.array?.compactMap(\.string) == ["PATH=/bin", "A=b c"])
        #expect(made["config"]?["Labels"]?["team"]?.string == "web" && made["config"]?["Labels"]?["keep"] == nil)
        #expect(made["config"]?["Entrypoint"]?.array?.compactMap(\.string) == ["/app/one"])
        #expect(made["config"]?["Cmd"] == nil && made["config"]?["User"]?.string == "1000")
        #expect(made["rootfs"] == (try config("app")["rootfs"]))
        #expect(made["created"]?.string == "2023-11-14T22:13:20Z")
        #expect(try history("changed").suffix(2) == ["USER 1000", "WORKDIR /app"])
        let layout = scratch.path.appending("annotated")
        try lamina.succeeding("save", "--format", "oci-dir", "-o", layout.string, "changed")
        let raw = try expectSuccess("skopeo", "inspect", "--raw", "oci:\(layout)").outputText
        #expect(try JSONValue(parsing: raw)["annotations"]?["note"]?.string == "x")
        // The same change gives the same image.
        let id = try lamina.succeeding("mutate", "-e", "X=1", "app").trimmed
        #expect(try lamina.succeeding("mutate", "-e", "X=1", "app").trimmed == id)
        #expect(try lamina("fsck").status == 0)
    }

    @Test func layersArePutTogetherAndRemoved() throws {
        let files = try names("app")
        try lamina.succeeding("mutate", "-t", "squashed", "--squash", "3-", "app")
        #expect(try layerCount("app") == 5 && layerCount("squashed") == 3)
        #expect(try names("squashed") == files)
        #expect(
            try lamina.succeeding("diff", "app", "squashed").outputText.contains("Files: 0 added, 0 removed, 0 changed")
        )
        try lamina.succeeding("flatten", "-t", "flat", "app")
        #expect(try layerCount("flat") == 1 && names("flat") == files)
        #expect(
            try lamina.succeeding("diff", "app", "flat").outputText.contains("Files: 0 added, 0 removed, 0 changed"))
        try lamina.succeeding("mutate", "-t", "stripped", "--strip", "4", "app")
        #expect(try names("stripped") == ["app/one", "base", "etc/shared"])
        #expect(try history("stripped").count == history("app").count + 1)
    }

    /// Files that upper layers have removed are gone from a squashed layer, and files of the layers below stay hidden.
    @Test func removalsSurviveASquash() throws {
        for (number, name) in ["etc/shared", "app/two"].enumerated() {
            let parts = name.split(separator: "/")
            try expectSuccess(
                "sh", "-ec",
                "mkdir -p \"$0/\(number)/\(parts[0])\" && touch \"$0/\(number)/\(parts[0])/.wh.\(parts[1])\"",
                scratch.path.string)
            try expectSuccess(
                "tar", "-cf", scratch.path.appending("\(number).tar").string, "-C",
                scratch.path.appending("\(number)").string, String(parts[0]))
        }
        let archives = (0...1).map { scratch.path.appending("\($0).tar").string }
        try lamina.succeeding(["append", "-t", "removed", "app"] + archives)
        #expect(try names("removed") == ["app/one", "base"])
        try lamina.succeeding("mutate", "-t", "squashed", "--squash", "3-", "removed")
        #expect(try names("squashed") == ["app/one", "base"])
        let layer = try lamina.succeeding("ls", "-R", "--layer", "3", "squashed").outputText
        #expect(layer.contains("one") && !layer.contains("two"))
    }

    @Test func aDirectoryAndAnArchiveAreAppended() throws {
        let files = scratch.path.appending("more")
        try expectSuccess(
            "sh", "-ec", "mkdir -p \"$0/sub\" && echo x >\"$0/sub/a\" && ln -s a \"$0/sub/b\"", files.string)
        try lamina.succeeding("append", "-t", "more", "--to", "/opt", "app", files.string)
        #expect(try names("more").filter { $0.hasPrefix("opt") } == ["opt/sub/a", "opt/sub/b"])
        let archive = scratch.path.appending("more.tar.gz")
        try expectSuccess("tar", "-czf", archive.string, "-C", files.string, "sub")
        try lamina.succeeding("append", "-t", "more:2", "app", archive.string)
        #expect(try names("more:2").contains("sub/a"))
        #expect(try history("more:2").last == "append more.tar.gz")
        for (arguments, sentence) in [
            (["append", "app", "/nothing"], "nothing"),
            (["append", "--to", "/x", "app", archive.string], "--to is for"),
            (["append", "--to", "../x", "app", files.string], "leads upwards"),
        ] {
            let finished = try lamina.start(arguments).wait()
            #expect(finished.status == 1 && finished.errorText.contains(sentence), "\(finished.errorText)")
        }
    }

    @Test func ownLayersGoOntoANewBase() throws {
        try lamina.succeeding("rebase", "-t", "rebased", "--old-base", "base:1", "app", "base:2")
        #expect(try names("rebased") == ["app/one", "app/two", "base"])
        let made = try config("rebased")
        #expect(made["config"]?["Env"]?.array?.compactMap(\.string) == ["PATH=/usr/bin"])
        #expect(made["config"]?["Labels"]?["keep"]?.string == "1")
        #expect(try lamina.succeeding("cat", "rebased", "/base").outputText == "new base\n")
        #expect(try history("rebased").last?.hasPrefix("rebase from base:1 to base:2") == true)
        let unknown = try lamina("rebase", "app", "base:2")
        #expect(unknown.status == 1 && unknown.errorText.contains("--old-base"))
        let wrong = try lamina("rebase", "--old-base", "base:2", "app", "base:1")
        #expect(wrong.status == 1 && wrong.errorText.contains("not based on"))
    }

    @Test func theOldBaseIsKnownFromProvenance() throws {
        try DockerRegistry.with(in: scratch) { registry in
            for tag in ["1", "2"] {
                try lamina.succeeding("tag", "base:\(tag)", "\(registry.name)/base:\(tag)")
                try lamina.succeeding("push", "\(registry.name)/base:\(tag)")
            }
            let other = Lamina(root: scratch.path.appending("other")).with(["SOURCE_DATE_EPOCH": "1700000000"])
            let context = try scratch.context(
                "FROM \(registry.name)/base:1\nCOPY Dockerfile /own\n", named: "based")
            try other.build(context, "--provenance", "-t", "\(registry.name)/app:1", "--push")
            try other.succeeding(
                "rebase", "-t", "\(registry.name)/app:2", "\(registry.name)/app:1", "\(registry.name)/base:2")
            #expect(try other.succeeding("cat", "\(registry.name)/app:2", "/base").outputText == "new base\n")
            // Then the annotations say it, and the image can be pushed.
            try other.succeeding("rebase", "-t", "back", "\(registry.name)/app:2", "\(registry.name)/base:1")
            #expect(try other.succeeding("cat", "back", "/base").outputText == "old base\n")
            try other.succeeding("push", "\(registry.name)/app:2")
            try expectSuccess(
                "skopeo", "copy", "--src-tls-verify=false", "docker://\(registry.name)/app:2",
                "dir:\(scratch.path.appending("pushed"))")
        }
    }

    @Test(.enabled(if: Machine.has("umoci"), "needs umoci")) func otherToolsUnpackThem() throws {
        try lamina.succeeding("mutate", "-t", "squashed", "--squash", "2-4", "app")
        let layout = scratch.path.appending("unpacked")
        try lamina.succeeding("save", "--format", "oci-dir", "-o", layout.string, "squashed")
        let tag = try JSONValue(parsing: text(of: layout.appending("index.json")))["manifests"]?.array?.first?[
            "annotations"]?[
                "org.opencontainers.image.ref.name"]?.string
        try expectSuccess(
            "umoci", "unpack", "--image", "\(layout):\(try #require(tag))", scratch.path.appending("bundle").string)
        try expectSuccess(
            "sh", "-ec", "test -f \"$0/app/two\" && test -f \"$0/base\"", scratch.path.appending("bundle/rootfs").string
        )
    }

    @Test(arguments: [
        (["mutate", "app"], "no option says what to change"), (["mutate", "-e", "A", "app"], "no name and value"),
        (["mutate", "--squash", "9", "app"], "no layer 9"), (["mutate", "--strip", "x", "app"], "names no layers"),
        (["mutate", "-w", "x", "app"], "no absolute path"), (["mutate", "-l", "a=1", "nothing"], "No such image"),
        (["mutate", "--cmd", "[1]", "app"], "no list of texts"), (["flatten", "base:2"], "one layer"),
        (["mutate", "-t", "a@sha256:\(String(repeating: "0", count: 64))", "-e", "A=1", "app"], "no digest yet"),
    ])
    func whatCannotBeIsRefused(_ arguments: [String], _ sentence: String) throws {
        let finished = try lamina.start(arguments).wait()
        #expect(finished.status == 1)
        #expect(finished.errorText.contains(sentence), "\(finished.errorText)")
    }
}
