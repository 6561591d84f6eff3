import SystemPackage
import Testing

/// `df`, `prune` and `fsck`, and the cleaning up after a build.
@Suite("Housekeeping", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct HousekeepingTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    private func buildNamed() throws -> FilePath {
        try scratch.write("one\n", to: "context/file")
        let context = try scratch.context(
            "FROM lamina/base\nRUN --mount=type=cache,target=/c,id=mine echo 1 >/1; echo >/c/x\nCOPY file /file\n")
        try lamina.build(context, "-t", "named")
        return context
    }

    @Test func dfSaysWhatThereIs() throws {
        let context = try buildNamed()
        try scratch.write("two\n", to: "context/file")
        try lamina.build(context, "-t", "named")
        let types = try lamina.succeeding("df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}").outputLines
        #expect(
            types.prefix(5) == [
                "Images 3 2", "Containers 0 0", "Local Volumes 0 0", "Build Cache 3 2", "Cache mounts 1 0",
            ])
        let list = try lamina.succeeding("df", "-v", "--format", "{{.Type}} {{.Shared}} {{.Description}}").outputLines
        #expect(
            Set(list) == [
                "regular true [2/3] RUN --mount=type=cache,target=/c,id=mine echo 1 >/1; echo >/c/x",
                "regular true [3/3] COPY file /file", "regular false [3/3] COPY file /file",
                "image false image without a name", "exec.cachemount false mine",
            ])
        #expect(try lamina.succeeding("df").outputText.contains("\nTotal on disk: "))
    }

    @Test("A layer that replaces what it removes, or has hard links to symbolic links, is no defect")
    func fsckKnowsReplacedFiles() throws {
        let base = try scratch.context(
            "FROM lamina/base\nRUN mkdir /d /e && echo low > /d/low && cp /d/low /e/low && cp /d/low /l\n")
        try lamina.build(base, "-t", "base")
        let layer = scratch.path.appending("layer.tar").string
        try expectSuccess(
            "sh", "-ec",
            """
            mkdir -p "$0" && cd "$0" && mkdir d e && touch .wh.d .wh.e .wh.l && echo new > d/new && ln -s d l &&
            ln -s d s && ln -P s h && tar --no-recursion -cf "$1" .wh.d d d/new .wh.e e .wh.l l s h
            """, scratch.path.appending("layer").string, layer)
        try lamina.succeeding("append", "-t", "changed", "base", layer)
        let context = try scratch.context(
            "FROM changed\nRUN ls -A /d /e > /names && ls -ld /l /s /h > /list\n", named: "upper")
        try lamina.build(context, "-t", "upper")
        #expect(try lamina.succeeding("cat", "upper", "/names").outputText == "/d:\nnew\n\n/e:\n")
        #expect(try lamina.succeeding("cat", "upper", "/list").outputLines.allSatisfy { $0.hasPrefix("l") })
        for flags in [[], ["--full"]] { try lamina.succeeding(["fsck"] + flags) }
    }

    @Test func pruneKeepsWhatHasAName() throws {
        let context = try buildNamed()
        let id = try lamina.succeeding("images", "-q", "--no-trunc", "named").trimmed
        try scratch.write("two\n", to: "context/file")
        try lamina.build(context)

        // Nobody says yes.
        let asked = try lamina("prune")
        #expect(asked.status == 0 && asked.errorText.contains("Are you sure you want to continue? [y/N]"))
        #expect(asked.errorText.contains("nothing was removed"))
        #expect(try lamina.succeeding("df", "-v", "--format", "{{.ID}}").outputLines.count == 5)
        #expect(try lamina.succeeding("prune", "--dry-run").outputText.contains("Would reclaim: "))
        let answer = try scratch.write("y\n", to: "answer")
        let pruned = try lamina("prune", input: answer)
        #expect(pruned.status == 0 && pruned.outputText.contains("exec.cachemount"))
        #expect(
            try lamina.succeeding("df", "-v", "--format", "{{.Type}} {{.Shared}}").outputLines == [
                "regular true", "regular true",
            ])
        #expect(try lamina.succeeding("images", "-q", "--no-trunc", "named").trimmed == id)

        // The named image is cached still, until --all.
        try scratch.write("one\n", to: "context/file")
        #expect(try lamina.build(context) == id)
        try lamina.succeeding("prune", "-f", "--all")
        #expect(try lamina.succeeding("df", "-v", "--format", "{{.ID}}").outputLines == [])
        #expect(try lamina.succeeding("images", "-q", "--no-trunc", "named").trimmed == id)
        #expect(try lamina.succeeding("fsck", "--full").outputText.contains("The store is whole."))
    }

    @Test func pruneBesideABuildTakesNothingFromIt() throws {
        let context = try scratch.context(
            "FROM lamina/base AS a\nRUN echo a >/a\nFROM lamina/base AS b\nRUN echo started; \(Gate.pass)\n"
                + "FROM b\nCOPY --from=a /a /a\n")
        try lamina.build(context, "--target", "a")
        let gate = try Gate(in: scratch)
        let build = try lamina.start(["build", "--progress", "plain"] + gate.options + [context.string])
        try wait(until: { try build.errorsSoFar().contains(" started\n") })
        for _ in 0..<10 {
            let pruned = try lamina("prune", "-f", "--all")
            #expect(pruned.status == 0)
        }
        try gate.open()
        #expect(try build.wait().status == 0)
        #expect(try lamina.succeeding("fsck", "--full").outputText.contains("The store is whole."))
    }

    @Test(arguments: [["--filter", "colour=red"], ["--until", "soon"], ["--keep-storage", "much"]])
    func wrongFiltersAreWrongCommandLines(_ arguments: [String]) throws {
        #expect(try lamina.start(["prune", "-f"] + arguments).wait().status == 2)
    }

    @Test func aBuildCleansUpAfterItself() throws {
        let context = try buildNamed()
        try scratch.write("two\n", to: "context/file")
        try expectSuccess("rm", "-f", lamina.root.appending("collected").string)
        let limits = "reserved=0,max-used=0,min-free=0"
        let build = try lamina.succeeding("build", "--progress", "plain", "-t", "named", "--gc", limits, context.string)
        #expect(build.errorText.contains("[internal] clean up the store"))
        let left = try lamina.succeeding("df", "-v", "--format", "{{.Type}} {{.Shared}}").outputLines
        // The image that lost its name is too young to go.
        #expect(Set(left) == ["regular true", "image false"])
        #expect(try lamina("build", "--gc", "max-used=much", context.string).status == 2)
    }

    @Test func fsckFindsAndRepairs() throws {
        let context = try buildNamed()
        let id = try lamina.succeeding("images", "-q", "--no-trunc", "named").trimmed
        #expect(try lamina.succeeding("fsck").outputText.hasSuffix("The store is whole.\n"))
        let store = lamina.root.string
        let base = try lamina.succeeding("inspect", "-f", "{{index .RootFS.Layers 0}}", "named").trimmed.dropFirst(7)
        // A byte of the base's layer, a file of the snapshot above it, and the list of the base's files.
        try expectSuccess(
            "sh", "-c",
            """
            cd '\(store)' && blob=$(ls -S blobs/sha256/* | head -1) && chmod u+w $blob &&
                printf x | dd of=$blob bs=1 seek=5000 conv=notrunc && echo changed > $(ls -d snapshots/*/fs/1) &&
                rm layers/*/\(base).files
            """)
        let found = try lamina("fsck")
        #expect(found.status == 1)
        #expect(found.outputText.contains("holds other bytes") && found.outputText.contains("bytes in /1, not 2"))
        #expect(found.outputText.contains("has lost the list of its files"))
        let repaired = try lamina("fsck", "--repair")
        #expect(repaired.outputText.contains("[repaired: written again from snapshot"))
        // The damaged directory is all that the image has of the layer, and stays until the image goes.
        #expect(repaired.status == 1 && repaired.outputText.contains("[left as it is, the only copy of a layer"))
        #expect(repaired.outputText.contains("(named:latest) has a damaged copy of the layer"))
        #expect(try lamina.succeeding("images", "-q", "--no-trunc", "named").trimmed == id)
        try lamina.succeeding("rmi", "named")
        try lamina.succeeding("fsck", "--repair")
        try lamina.build(context, "-t", "named")
        #expect(try lamina.succeeding("fsck", "--full").outputText.hasSuffix("The store is whole.\n"))
    }

    /// Commands that copy files up into the overlay without a change of what the image holds in the end.
    @Test(
        "A command without a net change leaves a store that fsck calls whole",
        arguments: [
            "exec 3<>/etc/passwd; echo hi > /hi",
            "chmod 600 /etc/passwd && chmod 644 /etc/passwd && echo hi > /hi",
            "chown 5:5 /etc/passwd && chown 0:0 /etc/passwd && chmod 644 /etc/passwd && echo hi > /hi",
            "touch -r /etc/passwd /ref && touch /etc/passwd && touch -r /ref /etc/passwd && rm /ref && echo hi > /hi",
            "mv /etc/group /x && mv /x /etc/group && echo hi > /hi",
            "echo x > /new && rm /new && echo hi > /hi",
            "cp -a /bin /e && rm -r /bin && /e/mv /e /bin && echo hi > /hi",
            "mkdir -p /a/b && echo 1 > /a/b/c && ln /a/b/c /a/d && rm -r /a && echo hi > /hi",
        ]
    )
    func fsckAcceptsFilesEqualToThoseBelow(command: String) throws {
        let context = try scratch.context("FROM lamina/base\nRUN \(command)\nRUN echo more > /more\n")
        try lamina.build(context, "-t", "same")
        for options in [[], ["--full"], ["--full", "--repair"]] {
            let result = try lamina.start(["fsck"] + options).wait()
            #expect(result.status == 0 && result.outputText.hasSuffix("The store is whole.\n"), "\(result.outputText)")
        }
        #expect(try lamina.succeeding("save", "same", "-o", "/dev/null").status == 0)
    }

    @Test("Random commands leave a store that fsck calls whole", arguments: 0..<4)
    func fsckAcceptsRandomCommands(seed: UInt64) throws {
        var random = SplitMix(state: 0xF5C4 &+ seed)
        let files = ["/etc/passwd", "/etc/group", "/d/a", "/d/b", "/d/e/c", "/etc", "/d", "/new"]
        func file() -> String { files[Int(random.below(UInt64(files.count)))] }
        var lines = ["FROM lamina/base", "RUN mkdir -p /d/e && echo 1 > /d/a && ln /d/a /d/b && echo 2 > /d/e/c"]
        for _ in 0..<6 {
            let commands = (0..<4).map { _ in
                switch random.below(9) {
                case 0: "exec 3<>\(file())"
                case 1: "chmod 700 \(file())"
                case 2: "chmod 755 \(file())"
                case 3: "chown 3:4 \(file())"
                case 4: "rm -rf \(file())"
                case 5: "cp -a \(file()) /copy && rm -rf /copy"
                case 6: "f=\(file()); cp -a $f /saved && rm -rf $f && mv /saved $f"
                case 7: "ln -f \(file()) /d/a"
                default: "mkdir -p /d/e; echo \(random.below(3)) > \(file())"
                }
            }
            lines.append("RUN " + commands.map { "( \($0) ) 2>/dev/null;" }.joined(separator: " ") + " true")
        }
        let context = try scratch.context(lines.joined(separator: "\n") + "\n")
        try lamina.build(context, "-t", "random")
        let result = try lamina("fsck", "--full", "--repair")
        #expect(result.status == 0, "\(lines.joined(separator: "\n"))\n\(result.outputText)")
    }
}

/// A generator of numbers that gives the same ones for the same seed.
private struct SplitMix {
    var state: UInt64

    /// The next number, less than `limit`.
    mutating func below(_ limit: UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return (value ^ (value >> 31)) % limit
    }
}
