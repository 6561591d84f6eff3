import ArgumentParser
import FoundationEssentials
import OCI
import Testing

@testable import lamina

/// The pages of the manual and of `lamina help`.
@Suite struct ManualPageTests {
    private static func pages() throws -> [ManualPage] {
        let tool = try JSON(parsing: Array(Lamina._dumpHelp().utf8))
        return ManualPage.all(of: try #require(tool["command"]), version: "lamina 0")
    }

    @Test func everyCommandHasAPage() throws {
        let names = Set(try Self.pages().map(\.fileName))
        #expect(names.isSuperset(of: ["lamina.1", "lamina-build.1", "lamina-builds-logs.1", "lamina-config-show.1"]))
        for command in Lamina.configuration.subcommands {
            #expect(names.contains("lamina-\(command.configuration.commandName ?? "").1"))
        }
    }

    @Test func aPageHasWhatTheParserKnows() throws {
        let page = try #require(try Self.pages().first { $0.fileName == "lamina-build.1" }?.text)
        #expect(page.hasPrefix(".TH \"LAMINA\\-BUILD\" 1 "))
        #expect(page.contains("\nlamina\\-build \\- Build an image from a Dockerfile.\n"))
        #expect(page.contains("\n.TP\n\\fB\\-t\\fR, \\fB\\-\\-tag\\fR \\fIname\\fR\nName of the image"))
        #expect(page.contains("\n.SH REGISTRY OPTIONS\n"))
    }

    /// No line of text is taken for a request of roff.
    @Test func everyRequestIsOneOfThePages() throws {
        let known: Set = [".TH", ".SH", ".TP", ".PP", ".B", ".BR", ".I", ".br"]
        for page in try Self.pages() {
            for line in page.text.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
                #expect(known.contains(String(line.prefix { $0 != " " })), "\(page.fileName): \(line)")
            }
        }
    }

    @Test func everyPageOfTheDocumentsIsPartOfTheProgram() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        for (folder, prefix) in [("docs", ""), ("docs/rules", ""), ("docs/ci", "ci/")] {
            for file in try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").sorted()
            where file.hasSuffix(".md") {
                let name = prefix + file.dropLast(3)
                let text = try #require(
                    Pages.text(name == "ci/README" ? "ci" : name), "\(folder)/\(file): add it to pages.c")
                let bytes = try Data(contentsOf: URL(filePath: "\(root)/\(folder)/\(file)"))
                let isEqual = text.utf8.elementsEqual(bytes)
                #expect(isEqual, "\(folder)/\(file)")
            }
        }
    }

    /// The command that a finding names shows its page.
    @Test func everyAdviceHasItsPage() {
        for name in ["LatestTag", "AptCacheLeft", "DeletedLater"] {
            #expect(Pages.text(name)?.hasPrefix("# \(name)\n") == true)
        }
    }

    @Test func helpIsAboutPagesAndCommands() throws {
        #expect(try Pages.help("LatestTag") == Pages.text("latesttag"))
        #expect(try Pages.help("topics")?.contains("configuration\n") == true)
        #expect(try Pages.help("build") == nil)
        let error = #expect(throws: CommandLineError.self) { try Pages.help("buildng") }
        #expect(
            error?.message
                == "there is no help about 'buildng'; did you mean 'building'?\nSee 'lamina help topics' for the pages."
        )
    }
}
