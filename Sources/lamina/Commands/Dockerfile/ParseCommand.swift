import ArgumentParser
import DockerfileSyntax
import OCI

struct ParseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse", abstract: "Print the syntax tree of a Dockerfile as JSON.",
        discussion: "Nothing is expanded: words have their quotes and variables. docs/parse.md explains the keys.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Print the document on one line.")
    var compact = false

    @Argument(help: ArgumentHelp("The Dockerfile, or - for the standard input.", valueName: "file"))
    var file = "Dockerfile"

    func run() async throws {
        try await global.run {
            let source = try SourceText(reading: file)
            let dockerfile = try source.parsed(isDebug: global.debug, Dockerfile.init(parsing:))
            say(JSON.syntaxTree(dockerfile).text(compact ? .compact : .pretty(2)))
        }
    }
}
