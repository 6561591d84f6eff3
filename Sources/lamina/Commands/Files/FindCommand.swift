import ArgumentParser
import Console
import Inspector
import Linux
import OCI

struct FindCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Find files of an image by their names.",
        discussion: """
            A pattern with a slash is compared with whole paths, any other with names: '*.so', '/usr/**/*.pyc'. \
            Control characters and backslashes in names are printed as in '\\x1b', except with --null.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: FileScopeOptions

    @Flag(name: [.customShort("E"), .long], help: "The pattern is a regular expression for paths.")
    var regex = false

    @Flag(name: [.customShort("0"), .customLong("null")], help: "Print paths as they are, each ended by a NUL.")
    var endsWithNull = false

    @Option(help: ArgumentHelp("paths, table, json, or a template such as '{{.Path}} {{.Size}}'.", valueName: "format"))
    var format = "paths"

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("A pattern as in a shell.", valueName: "pattern"))
    var pattern: String

    func run() async throws {
        try await global.run {
            let list = try ListFormat(
                format == "paths" ? "{{.Path}}" : format, columns: ScopedFiles.columns, shown: ScopedFiles.shownColumns)
            var matcher = try PathMatcher(regex ? PathPattern(regularExpression: pattern) : PathPattern(glob: pattern))
            let files = try await ImageFiles(global, image, options).files
            let matches = try matcher.matches(in: files.tree)
            let nodes = matches.indices.filter { matches[$0] && files.file(at: $0) != nil }
            if endsWithNull {
                for node in nodes { CommandResult.write([UInt8(ascii: "/")] + files.tree.path(of: node).bytes + [0]) }
                return
            }
            let rows = nodes.map { files.row($0, name: "/" + VisibleText.escaped(files.tree.path(of: $0).bytes)) }
            for line in try list.lines(for: rows) { say(line) }
        }
    }
}
