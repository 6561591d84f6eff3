import ArgumentParser
import Console
import Inspector
import Layers
import Linux
import OCI

struct ListFilesCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the files of an image.",
        discussion: "Nothing is unpacked for it: the store knows the files of every layer.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: FileScopeOptions

    @Flag(name: [.customShort("R"), .long], help: "List directories with all that is in them.")
    var recursive = false

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.Path}} {{.Size}}'.", valueName: "format"))
    var format: String?

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("A file or a directory of the image (default: /).", valueName: "path"))
    var path = "/"

    func run() async throws {
        try await global.run {
            let format = try ListFormat(format, columns: ScopedFiles.columns, shown: ScopedFiles.shownColumns)
            let files = try await ImageFiles(global, image, options).files
            for line in try format.lines(for: try rows(files)) { say(line) }
        }
    }

    private func rows(_ files: ScopedFiles) throws -> [JSON] {
        var top = try files.node(at: PathBytes(path), followsLast: path.hasSuffix("/"))
        if files.entry(at: top)?.kind == .symlink {
            // A link to a directory stands for it, as for ls(1) without options.
            let target = try? files.node(at: PathBytes(path), followsLast: true)
            if let target, files.entry(at: target)?.kind == .directory { top = target }
        }
        guard top == ImageTree.root || files.entry(at: top)?.kind == .directory else {
            return [files.row(top, name: VisibleText.escaped(files.tree.name(of: top)))]
        }
        let start = files.tree.path(of: top).bytes.count
        var rows: [JSON] = []
        var pending = files.children(of: top).reversed() as [Int]
        while let node = pending.popLast() {
            let path = files.tree.path(of: node).bytes.dropFirst(start == 0 ? 0 : start + 1)
            rows.append(files.row(node, name: VisibleText.escaped(path)))
            if recursive { pending += files.children(of: node).reversed() }
        }
        return rows
    }
}
