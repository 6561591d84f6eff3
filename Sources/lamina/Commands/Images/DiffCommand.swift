import ArgumentParser
import Comparison
import Console
import Containers
import Engine
import Images
import Inspector
import Linux
import OCI
import Pages
import Store
import Viewer

struct DiffCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show how two images differ, or what a container has changed.",
        discussion: """
            Layers, config, packages and files are compared. Files that differ in nothing but their time are counted, and \
            listed in JSON only. With one argument, that is a container: A, C and D are files that it has added, changed and \
            deleted.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(help: ArgumentHelp("table, json, markdown or html.", valueName: "format"))
    var format = "table"

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write to this file in place of the standard output.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("The images of this platform, where a name has several.", valueName: "os/arch"))
    var platform: String?

    @Option(help: ArgumentHelp("How many of the files with the largest changes to list.", valueName: "number"))
    var files = 20

    @Flag(name: .customLong("ignore-times"), help: "Times of files and of the config are no differences.")
    var ignoresTimes = false

    @Flag(
        name: .customLong("exit-code"),
        help: "End with status 1 when the images differ, and with 2 when they cannot be compared, as diff does.")
    var hasExitCode = false

    @Argument(
        help: ArgumentHelp(
            "A name or an ID, a path such as ./app.tar, or docker://NAME and other transports.", valueName: "old"))
    var old: String

    @Argument(
        help: ArgumentHelp("The image to compare it with; without one, the first is a container.", valueName: "new"))
    var new: String?

    func validate() throws {
        let formats = ["table", "json", "markdown", "html"]
        guard formats.contains(format) else {
            throw ValidationError("unknown format '\(format)': use \(formats.joined(separator: ", "))")
        }
        guard files >= 0 else { throw ValidationError("--files takes a number from 0 on") }
    }

    func run() async throws {
        guard let new else { return try await listChanges() }
        let isDifferent: Bool
        do {
            isDifferent = try await global.run { try await report(new) }
        } catch let status as ExitStatus where hasExitCode && status.code == ExitStatus.failure.code {
            throw ExitStatus(code: 2)
        }
        if hasExitCode, isDifferent { throw ExitStatus.failure }
    }

    /// Prints what a container has changed.
    private func listChanges() async throws {
        guard ["table", "json"].contains(format), output == nil || format == "json" else {
            throw ValidationError("what a container has changed is printed as table or json")
        }
        try await global.run { [global, old, format, output] in
            let images = try global.images()
            let changes = try await ContainerStore(images.store).find(old).changes(images)
            if format == "json" {
                let rows = changes.map { change in
                    JSON.object(
                        ("kind", .string(change.kind.rawValue)), ("path", .string("/\(change.path.text)")))
                }
                let document = JSON.object(("schema", .integer(1)), ("changes", .array(rows)))
                return try ReportOutput(path: output).write([document.text(.pretty(2))])
            }
            for change in changes {
                CommandResult.write(Array("\(change.kind.rawValue) /".utf8) + change.path.bytes + [UInt8(ascii: "\n")])
            }
        }
    }

    /// Prints the difference, and tells whether there is one.
    private func report(_ new: String) async throws -> Bool {
        let difference = try await compare(with: new)
        let report = DifferenceReport(difference, fileLimit: files)
        let result = ReportOutput(path: output)
        switch format {
        case "json": try result.write([difference.json.text(.pretty(2))])
        case "markdown": try result.write([report.markdown])
        case "html": try result.write(DifferencePage(difference).encoded())
        default: try result.write(report.lines)
        }
        return !difference.isEmpty
    }

    private func compare(with name: String) async throws -> ImageDifference {
        let old = try await global.inspected(old, registries, platform: platform)
        let new = try await global.inspected(name, registries, platform: platform)
        let images = (
            ComparedImage(name: self.old, image: old.image, origins: ImageSources.of(old.stored).map { $0?.origin }),
            ComparedImage(name: name, image: new.image, origins: ImageSources.of(new.stored).map { $0?.origin })
        )
        let layers = ImageDifference.layersToRead(images.0, images.1)
        try await global.fetchContent(of: layers.old, old.stored, registries)
        try await global.fetchContent(of: layers.new, new.stored, registries)
        return try await offload { try ImageDifference(images.0, images.1, ignoresTimes: ignoresTimes) }
    }
}
