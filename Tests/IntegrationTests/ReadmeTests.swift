import SystemPackage
import Testing

/// The commands of the README, pasted as they stand there.
@Suite("README", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ReadmeTests {
    @Test func theFirstFiveThingsCanBePasted() throws {
        let scratch = try Scratch()
        let binary = try #require(Lamina.binary)
        let directory = scratch.path.appending("empty")
        try expectSuccess("mkdir", directory.string)
        let blocks = try Self.blocks()
        #expect(blocks.count == 5)
        let job = try RunningProcess(
            ["bash", "-euo", "pipefail", "-c", blocks.joined(separator: "\n")],
            environment: [
                "PATH": "\(binary.removingLastComponent()):/usr/bin:/bin", "HOME": scratch.path.string,
                // People have none of it: with it, 'lamina analyze' ends as dive does.
                "LAMINA_ROOT": scratch.path.appending("store").string, "CI": "",
            ], in: directory
        ).wait(limit: .seconds(120))
        #expect(job.status == 0, "\(job.errorText)")
        // One line of each thing, as the README shows it.
        for line in ["hello from here", "status 1", "Loaded image: hello:latest"] {
            #expect(job.outputLines.contains(line), "\(job.outputText)")
        }
        #expect(job.outputText.contains("1.98MB    1         metadata-only   /usr/bin/tool"))
        #expect((job.outputText + job.errorText).contains("src/old.c was renamed to src/new.c"))
    }

    /// The shell blocks of the section, in their order.
    private static func blocks() throws -> [String] {
        let page = try text(of: Lamina.packageRoot.appending("README.md"))
        let start = try #require(page.firstRange(of: "## The first five things")).upperBound
        let section = page[start...].prefix(upTo: page[start...].firstRange(of: "\n## ")?.lowerBound ?? page.endIndex)
        return section.split(separator: "```sh\n").dropFirst().compactMap { part in
            part.firstRange(of: "\n```").map { String(part[..<$0.lowerBound]) }
        }
    }
}
