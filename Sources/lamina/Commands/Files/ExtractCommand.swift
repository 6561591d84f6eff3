import ArgumentParser
import Console
import GoCompat
import Inspector
import Linux
import SystemPackage

struct ExtractCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract", abstract: "Copy files of an image into a directory.",
        discussion: """
            A file or directory gets its own name there; the files of / go into the directory itself, which must be \
            empty then. Files belong to the caller, without setuid bits; devices are left out; nothing is replaced.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: FileScopeOptions

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("A file or a directory of the image.", valueName: "path"))
    var path: String

    @Argument(help: ArgumentHelp("A directory of this machine; it is made if need be.", valueName: "dir"))
    var directory: String

    func run() async throws {
        try await global.run {
            let found = try await ImageFiles(global, image, options)
            let node = try found.files.node(at: PathBytes(path), followsLast: path.hasSuffix("/"))
            try await found.fetchContent(of: found.layers(below: node))
            let summary = try await offload {
                try FileExtraction.extract(node, of: found.files, from: found.image, into: FilePath(directory))
            }
            let skipped = summary.skipped == 0 ? "" : "; \(summary.skipped) devices or FIFOs were left out"
            tell("Extracted \(summary.files) files, \(HumanSize.short(summary.bytes))\(skipped)")
        }
    }
}

extension ImageFiles {
    /// The layers that hold the bytes of a file, or of the files in a directory.
    fileprivate func layers(below top: Int) -> Set<Int> {
        var layers: Set<Int> = []
        for node in top..<files.tree.end(of: top) {
            if let file = files.file(at: node), let place = image.place(of: file) { layers.insert(place.layer) }
        }
        return layers
    }
}
