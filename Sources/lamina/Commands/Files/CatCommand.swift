import ArgumentParser
import Console
import Diagnostics
import Inspector
import Layers
import Linux

struct CatCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Print files of an image.",
        discussion: "On a terminal, characters that could control it are shown and not sent.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: FileScopeOptions

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("Files of the image; links are followed.", valueName: "path"))
    var paths: [String]

    func run() async throws {
        try await global.run {
            let found = try await ImageFiles(global, image, options)
            let places = try paths.map { try place(of: $0, found) }
            try await found.fetchContent(of: Set(places.map(\.layer)))
            let isTerminal = OutputTerminal.standardOutput.isTerminal
            try await offload {
                for place in places {
                    try found.image.read(place) { bytes in
                        let bytes = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
                        CommandResult.write(isTerminal ? Self.visible(bytes) : bytes)
                        return true
                    }
                }
            }
        }
    }

    private func place(of path: String, _ found: ImageFiles) throws -> ContentPlace {
        let node = try found.files.node(at: PathBytes(path), followsLast: true)
        guard let file = found.files.file(at: node), let place = found.image.place(of: file) else {
            let kind = found.files.entry(at: node)?.kind == .directory ? "a directory" : "no regular file"
            throw InspectorError(
                .wrongKind, "'\(path)' is \(kind)", hint: "'lamina ls' lists directories, 'lamina extract' copies them."
            )
        }
        return place
    }

    /// Bytes for a terminal: lines and tabs stay, other control characters are shown.
    static func visible(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if !result.isEmpty || line.startIndex > 0 { result.append(UInt8(ascii: "\n")) }
            result += TerminalText.visibleLine(line).utf8
        }
        return result
    }
}
