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
        #expect(types.prefix(3) == ["Images 3 2", "Build cache 3 2", "Cache mounts 1 0"])
        let list = try lamina.succeeding("df", "-v", "--format", "{{.Type}} {{.Shared}} {{.Description}}").outputLines
        #expect(
            Set(list) == [
                "regular true [2/3] RUN --mount=type=cache,target=/c,id=mine echo 1 >/1; echo >/c/x",
                "regular true [3/3] COPY file /file", "regular false [3/3] COPY file /file",
                "image false image without a name", "exec.cachemount false mine",
            ])
        #expect(try lamina.succeeding("df").outputText.contains("\nTotal on disk: "))
    }

    @Test func pruneKeepsWhatHasAName() throws {
        let context = try buildNamed()
        let id = try lamina.succeeding("images", "-q", "--no-trunc", "named").trimmed
        try scratch.write("two\n", to: "context/file")
        try lamina.build(context)

        // Nobody says yes.
        let asked = try lamina("prune")
        #expect(asked.status == 1 && asked.errorText.contains("Are you sure you want to continue? [y/N]"))
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
            "FROM lamina/base AS a\nRUN echo a >/a\nFROM lamina/base AS b\nRUN echo started; sleep 2\n"
                + "FROM b\nCOPY --from=a /a /a\n")
        try lamina.build(context, "--target", "a")
        let build = try lamina.start(["build", "-q", context.string])
        for _ in 0..<20 {
            let pruned = try lamina("prune", "-f", "--all")
            #expect(pruned.status == 0)
        }
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
        // A byte of the base's layer, a file of a snapshot, and a list of files.
        try expectSuccess(
            "sh", "-c",
            """
            cd '\(store)' && blob=$(ls -S blobs/sha256/* | head -1) && chmod u+w $blob &&
                printf x | dd of=$blob bs=1 seek=5000 conv=notrunc && echo changed > $(ls -d snapshots/*/fs/1) &&
                rm $(find layers -name '*.files' | head -1)
            """)
        let found = try lamina("fsck")
        #expect(found.status == 1)
        #expect(found.outputText.contains("holds other bytes") && found.outputText.contains("bytes in /1, not 2"))
        #expect(found.outputText.contains("has lost the list of its files"))
        let repaired = try lamina("fsck", "--repair")
        #expect(repaired.outputText.contains("[repaired: written again from snapshot"))
        // The command's result is lost, and the image says so until it is built again.
        #expect(repaired.status == 1 && repaired.outputText.contains("(named:latest) has lost the layer"))
        #expect(try lamina.succeeding("images", "-q", "--no-trunc", "named").trimmed == id)
        try lamina.succeeding("rmi", "named")
        try lamina.build(context, "-t", "named")
        #expect(try lamina.succeeding("fsck", "--full").outputText.hasSuffix("The store is whole.\n"))
    }
}
