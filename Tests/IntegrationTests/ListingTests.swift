import SystemPackage
import Testing

/// Listings of images, in tables, templates and JSON.
@Suite("Listings", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ListingTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let id: String

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context(
            """
            FROM lamina/base
            RUN head -c 5000 /dev/zero > /a; head -c 3000 /dev/zero > /b; head -c 2000 /dev/zero > /c
            RUN rm /a; head -c 100 /dev/zero > /b; chmod 600 /c
            LABEL some=label
            CMD ["cat", "/b"]

            """)
        id = try lamina.build(context, "-t", "listed:1", "-t", "localhost:5000/also/listed")
    }

    /// A result that was asked for is not lost without a word.
    @Test(arguments: ["images", "--help", "--version", "build --help", "history listed:1", "builds logs"])
    func aFullStandardOutputIsAFailureWithASentence(_ words: String) throws {
        let binary = try #require(Lamina.binary)
        let shell = try RunningProcess(
            ["/bin/sh", "-c", "'\(binary)' \(words) > /dev/full"], environment: ["LAMINA_ROOT": lamina.root.string]
        ).wait()
        #expect(shell.status == 1)
        #expect(
            shell.errorText == "ERROR: the standard output cannot be written: No space left on device\n",
            "\(shell.errorText)")
    }

    @Test(arguments: [("| true", "Broken pipe"), (">&-", "Bad file descriptor")])
    func aClosedStandardOutputIsAFailureWithASentence(_ end: String, _ reason: String) throws {
        let binary = try #require(Lamina.binary)
        // The reader is gone before the first byte.
        let shell = try RunningProcess(
            ["/bin/sh", "-c", "{ sleep 0.3; '\(binary)' images; echo $? >&2; } \(end)"],
            environment: ["LAMINA_ROOT": lamina.root.string]
        ).wait()
        #expect(
            shell.errorText == "ERROR: the standard output cannot be written: \(reason)\n1\n", "\(shell.errorText)")
    }

    @Test(.enabled(if: Machine.has("git"), "needs git")) func aStampedProgramTellsItsCommit() throws {
        let binary = try #require(Lamina.binary)
        let tree = scratch.path.appending("tree")
        let script = """
            mkdir -p "$2/scripts"; cp "$1/scripts/stamp" "$2/scripts"; cp "$0" "$2/program"; cd "$2"
            git init -q; git -c user.name=a -c user.email=b commit -q --allow-empty -m c
            scripts/stamp program; scripts/stamp program; ./program --version; git rev-parse --short=12 HEAD
            """
        let lines = try expectSuccess(
            "sh", "-ec", script, binary.string, Lamina.packageRoot.string, tree.string
        ).outputLines
        let plain = try lamina.succeeding("--version").trimmed.prefix { $0 != "," }
        #expect(lines == ["\(plain), commit \(lines.last ?? "")", lines.last])
    }

    /// A library that is loaded before the program may change the environment, below which the arguments lie at first.
    @Test(.enabled(if: Machine.has("cc"), "needs a C compiler")) func aPreloadedLibraryTakesNoArguments() throws {
        let source = try scratch.write(
            "#include <stdlib.h>\n__attribute__((constructor)) static void set(void) { setenv(\"A_NEW_ONE\", \"1\", 1); }\n",
            to: "set.c")
        let library = scratch.path.appending("set.so").string
        try expectSuccess("cc", "-shared", "-fPIC", "-o", library, source.string)
        let context = try scratch.context("FROM lamina/base\nRUN echo made > /made\n")
        // The program executes itself again in order to be root.
        for isolation in ["namespaces", "rootless"] {
            let preloaded = lamina.with(["LD_PRELOAD": library, "LAMINA_ISOLATION": isolation])
            #expect(try preloaded.succeeding("--version").trimmed == lamina.succeeding("--version").trimmed)
            try preloaded.build(context, "--no-cache", "-t", isolation)
            #expect(try preloaded.succeeding("cat", isolation, "/made").outputText == "made\n")
        }
    }

    @Test func anImageWhoseLayersOnlyDeleteIsAnalyzed() throws {
        let context = try scratch.context("FROM lamina/base\nRUN rm /etc/group\n")
        try lamina.build(context, "-t", "deleted")
        let lines = try lamina.succeeding("analyze", "deleted").outputLines
        #expect(lines.last?.hasSuffix("wasted of what was added: n/a") == true, "\(lines)")
        #expect(
            try lamina.succeeding("analyze", "--format", "json", "deleted").outputText.contains(
                "\"wastedUserPercent\": null"))
        try lamina.build(scratch.context("FROM scratch\n"), "-t", "empty")
        #expect(try lamina.succeeding("analyze", "empty").outputText.contains("efficiency: 100.00 %"))
    }

    private var shortID: String { String(id.dropFirst(7).prefix(12)) }

    @Test("The list of images has all names, and takes formats")
    func images() throws {
        let table = try lamina.succeeding("images").outputLines
        let header = try #require(table.first)
        #expect(header.split(separator: " ") == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"])
        #expect(table.count == 4)
        let format = "{{.Repository}}|{{.Tag}}|{{.ID}}"
        #expect(
            try lamina.succeeding("images", "--format", format).outputLines.sorted() == [
                "lamina/base|latest|\(try lamina.succeeding("images", "-q", "lamina/base").trimmed)",
                "listed|1|\(shortID)", "localhost:5000/also/listed|latest|\(shortID)",
            ])
        #expect(try lamina.succeeding("images", "-q", "listed").outputLines == [shortID])
        #expect(try lamina.succeeding("images", "-q", "--no-trunc", "listed:1").outputLines == [id])
        for line in try lamina.succeeding("images", "--format", "json").outputLines {
            let row = try JSONValue(parsing: line)
            #expect(row["Repository"]?.string != nil && row["Size"]?.string != nil, "\(line)")
        }
    }

    @Test("The history has the steps with their sizes")
    func history() throws {
        let table = try lamina.succeeding("history", "listed:1").outputLines
        let header = try #require(table.first)
        #expect(header.split(separator: " ") == ["IMAGE", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"])
        let steps = try lamina.succeeding("history", "--no-trunc", "--format", "{{.CreatedBy}}", "listed:1").outputLines
        #expect(
            Array(steps.prefix(3)) == [
                "CMD [\"cat\" \"/b\"]", "LABEL some=label",
                "RUN /bin/sh -c rm /a; head -c 100 /dev/zero > /b; chmod 600 /c # buildkit",
            ])
        let sizes = try lamina.succeeding("history", "--format", "{{.Size}}", "listed:1").outputLines
        #expect(Array(sizes.prefix(4)) == ["0B", "0B", "2.1kB", "10kB"])
        #expect(try lamina.succeeding("history", "-q", "listed:1").outputLines.first == shortID)
        #expect(
            try JSONValue(parsing: lamina.succeeding("history", "--format", "json", "listed:1").outputLines[0])[
                "Comment"]?
                .string == "buildkit.dockerfile.v0")
    }

    @Test("The verbose history has the layers with the steps that made them")
    func verboseHistory() throws {
        let header = try #require(try lamina.succeeding("history", "-v", "listed:1").outputLines.first)
        #expect(header.split(separator: " ").prefix(5) == ["CREATED", "BY", "SIZE", "COMPRESSED", "UNCOMPRESSED"])
        let format = "{{.Layer}}|{{.Added}}|{{.Changed}}|{{.Removed}}|{{.Line}}|{{.Outcome}}"
        let lines = try lamina.succeeding("history", "--verbose", "--format", format, "listed:1").outputLines
        #expect(lines.prefix(4) == ["|||||", "|||||", "3|0|2|1|3|ran", "2|3|0|0|2|ran"], "\(lines)")
        let sizes = try lamina.succeeding(
            "history", "-v", "--human=false", "--format", "{{.TarSize}} {{.DiffID}}", "listed:1")
        let words = try #require(sizes.outputLines.dropFirst(3).first).split(separator: " ")
        #expect(words.count == 2 && (Int(words[0]) ?? 0) > 10_000 && words[1].hasPrefix("sha256:"))
        // Without the flag the fields are docker's.
        #expect(try lamina("history", "--format", "{{.Layer}}", "listed:1").status != 0)
    }

    @Test("Inspecting shows names, config and layers")
    func inspect() throws {
        let image = try #require(
            try JSONValue(parsing: lamina.succeeding("inspect", "listed:1").outputText).array?.first)
        #expect(image["Id"]?.string == id)
        #expect(image["RepoTags"]?.strings.sorted() == ["listed:1", "localhost:5000/also/listed:latest"])
        #expect(image["Config"]?["Cmd"]?.strings == ["cat", "/b"])
        #expect(image["Config"]?["Labels"]?.object == ["some": .string("label")])
        #expect(image["Os"]?.string == "linux")
        #expect(image["RootFS"]?["Layers"]?.array?.count == 3)
        for name in [id, shortID, String(shortID.prefix(6)), "listed:1"] {
            #expect(try lamina.succeeding("inspect", "--format", "{{.Id}}", name).trimmed == id, "\(name)")
        }
        let two = try lamina("inspect", "listed:1", "no-such")
        #expect(two.status == 1)
        #expect(two.errorText.contains("No such image: no-such"))
    }

    @Test("The analysis counts added, changed and removed files")
    func analyze() throws {
        let report = try JSONValue(parsing: lamina.succeeding("analyze", "--format", "json", "listed:1").outputText)
        let layers = try #require(report["layers"]?.array)
        #expect(layers.count == 3)
        #expect(layers[1]["added"]?["files"]?.number == 3 && layers[1]["added"]?["bytes"]?.number == 10_000)
        #expect(layers[2]["changed"]?["files"]?.number == 2)
        #expect(layers[2]["removed"]?["files"]?.number == 1)
        // The bytes lie in the layer that has them, and were given up by the one after it.
        let reclaimable = layers[1]["reclaimable"]
        #expect(reclaimable?["deleted"]?.number == 5000)
        #expect(reclaimable?["overwritten"]?.number == 3000)
        #expect(reclaimable?["metadata-only"]?.number == 2000)
        #expect(report["image"]?["reclaimable"]?["total"]?.number == 10_000)
        let table = try lamina.succeeding("analyze", "listed:1").outputText
        #expect(table.contains("10kB"))
    }

    @Test func tagAndRemove() throws {
        try lamina.succeeding("tag", "listed:1", "other")
        #expect(try lamina.succeeding("images", "-q", "other").outputLines == [shortID])
        #expect(try lamina.succeeding("rmi", "other").outputLines == ["Untagged: other:latest"])
        #expect(try lamina("rmi", "other").status == 1)
        try lamina.succeeding("rmi", "localhost:5000/also/listed")
        let last = try lamina.succeeding("rmi", "listed:1").outputLines
        #expect(last.prefix(2) == ["Untagged: listed:1", "Deleted: \(id)"])
        #expect(try lamina.succeeding("images", "-q", "listed").outputLines == [])
    }

    @Test func versionAndDoctor() throws {
        #expect(try lamina.succeeding("--version").outputLines.count == 1)
        #expect(try lamina.succeeding("doctor").outputText.contains("RUN would use: namespaces"))
    }
}
