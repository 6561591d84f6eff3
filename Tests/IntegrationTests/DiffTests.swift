import SystemPackage
import Testing

/// The comparison of two images.
@Suite("Differences of images", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct DiffTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        try lamina.build(
            scratch.context("FROM lamina/base\nENV A=1\nRUN echo one > /file; echo x > /gone\n"), "-t", "one")
        try lamina.build(
            scratch.context("FROM lamina/base\nENV A=2\nRUN head -c 5000 \\\n /dev/zero > /file; chmod 600 /file\n"),
            "-t", "two")
    }

    @Test func theTablesNameWhatDiffers() throws {
        let lines = try lamina.succeeding("diff", "one", "two").outputLines
        func words(_ start: String) -> [Substring] {
            lines.first { $0.hasPrefix(start) }?.split(separator: " ") ?? []
        }
        #expect(words("config.Env.A") == ["config.Env.A", "1", "2"])
        #expect(words("changed") == ["changed", "+5kB", "content,", "mode,", "time", "/file"])
        #expect(words("removed") == ["removed", "-2B", "/gone"])
        #expect(words("new  ").prefix(2) == ["new", "two"])
        #expect(
            lines.contains { $0.hasPrefix("new") && $0.contains("3-4") && $0.contains("RUN head -c 5000 /dev/zero >") })
        #expect(lines.last?.hasPrefix("Files: 0 added, 1 removed, 1 changed") == true)
    }

    @Test func theExitCodeIsThatOfDiff() throws {
        #expect(try lamina("diff", "--exit-code", "one", "one").status == 0)
        #expect(try lamina("diff", "--exit-code", "one", "two").status == 1)
        #expect(try lamina("diff", "--exit-code", "one", "./nothing.tar").status == 2)
        #expect(try lamina("diff", "one", "two").status == 0)
        #expect(try lamina("diff", "one", "./nothing.tar").status == 1)
        #expect(try lamina.succeeding("diff", "one", "one").outputLines.last == "The images do not differ.")
    }

    @Test func anArchiveComparesWithTheStore() throws {
        let archive = scratch.path.appending("one.tar")
        try lamina.succeeding("save", "-o", archive.string, "one")
        let other = Lamina(root: scratch.path.appending("other"))
        #expect(try lamina("diff", "--exit-code", archive.string, "one").status == 0)
        let document = try JSONValue(
            parsing: lamina.succeeding("diff", "--format", "json", archive.string, "two").outputText)
        #expect(document["summary"]?["changed"]?.number == 1 && document["commonLayers"]?.number == 1)
        #expect(try other("diff", "--exit-code", archive.string, archive.string).status == 0)
    }

    @Test func markdownHasTables() throws {
        let text = try lamina.succeeding("diff", "--format", "markdown", "one", "two").outputText
        #expect(text.hasPrefix("### one → two\n"))
        #expect(text.contains("| changed | \\+5kB | content, mode, time | /file |"))
    }
}
