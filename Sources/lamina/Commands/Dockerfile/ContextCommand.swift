import ArgumentParser
import Console
import Contexts
import DockerfileSyntax
import Engine
import GoCompat
import Linux
import OCI
import Requests
import SystemPackage

struct ContextCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "context", abstract: "List the files that a build would see, and say why it sees them.",
        discussion: "Directories are not listed. Nothing is built, and no store is needed.")

    enum Order: String, ExpressibleByArgument, CaseIterable {
        case path
        case size
    }

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The Dockerfile, which may have an ignore file of its own.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("path, or size for the largest first.", valueName: "order"))
    var sort = Order.path

    @Option(help: ArgumentHelp("table or json.", valueName: "format"))
    var format = Format.table

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Say what decides about a path in the context; may be repeated.", valueName: "path"))
    var why: [String] = []

    @Argument(help: "The directory with the files of the build.")
    var path = "."

    func run() async throws {
        try await global.run {
            let listing = try listing()
            if why.isEmpty { try list(listing) } else { try explain(listing) }
        }
    }

    /// Shows the line of an ignore file that is wrong.
    private func listing() throws -> ContextListing {
        let context = FilePath(path)
        do {
            return try ContextListing(
                of: context, dockerfile: file.map { FilePath($0) }, without: try? global.storePath())
        } catch {
            let source = SourceLines(context: context)
            ErrorRenderer(isDebug: global.debug, source: source.lines).print(error)
            throw ExitStatus.failure
        }
    }

    // MARK: Listing

    private func list(_ listing: ContextListing) throws {
        var files = try listing.files()
        if sort == .size { files.sort { ($1.size, $0.path) < ($0.size, $1.path) } }
        let total = files.clampedSum(\.size)
        switch format {
        case .table:
            var table = Table(headers: ["SIZE", "PATH"])
            for file in files { table.append([HumanSize.short(file.size), file.path.text]) }
            for line in table.lines() { say(line) }
            say("")
            say("\(files.count) \(files.count == 1 ? "file" : "files"), \(HumanSize.short(total))")
        case .json:
            let rows = files.map { file in
                JSON.object(
                    ("path", .string(file.path.text)), ("size", .integer(file.size)),
                    ("type", .string(file.kind.rawValue)))
            }
            let document = JSON.object(
                ("schema", .integer(1)), ("ignoreFile", listing.ignoreFile.map { .string($0.string) } ?? .null),
                ("files", .array(rows)),
                ("total", .object(("files", .integer(files.count)), ("size", .integer(total)))))
            say(document.text(.pretty(2)))
        }
    }

    // MARK: Reasons

    private func explain(_ listing: ContextListing) throws {
        let decisions = try why.map { try listing.decision(on: PathBytes($0)) }
        switch format {
        case .table: for decision in decisions { say(ContextReason(decision, ignoreFile: listing.ignoreFile).text) }
        case .json:
            let documents = decisions.map { ContextReason($0, ignoreFile: listing.ignoreFile).json }
            say(JSON.array(documents).text(.pretty(2)))
        }
    }
}
