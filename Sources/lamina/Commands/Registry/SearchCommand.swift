import ArgumentParser
import Console
import Diagnostics
import Images
import Logins
import OCI
import Registry
import Requests

struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Find repositories on Docker Hub, or by name in another registry.",
        discussion: """
            A term that begins with a registry, e.g. registry.example.com/app, is looked for in the names of that \
            registry's repositories.
            """)

    private static let columns = [
        ListFormat.Column(field: "Name", header: "NAME"),
        ListFormat.Column(field: "Description", header: "DESCRIPTION"),
        ListFormat.Column(field: "StarCount", header: "STARS"),
        ListFormat.Column(field: "IsOfficial", header: "OFFICIAL"),
    ]

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Option(help: ArgumentHelp("The largest number of results, from 1 to 100.", valueName: "number"))
    var limit = 25

    @Option(
        name: .shortAndLong, help: ArgumentHelp("A condition: is-official=true or stars=NUMBER.", valueName: "filter"))
    var filter: [String] = []

    @Flag(name: .customLong("no-trunc"), help: "Do not cut descriptions.")
    var isWhole = false

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.Name}}'.", valueName: "format"))
    var format: String?

    @Argument(help: ArgumentHelp("The term.", valueName: "[registry/]term"))
    var term: String

    func validate() throws {
        guard (1...100).contains(limit) else { throw ValidationError("invalid limit '\(limit)': use 1 to 100") }
    }

    func run() async throws {
        try await global.run {
            let list = try ListFormat(format, columns: Self.columns)
            let conditions = try filter.map(Self.condition)
            let (registry, word) = try Self.place(of: term)
            let reference = ImageReference(registry: registry, repository: "", tag: nil)
            let found = try await registries.access(login, for: reference) { access in
                try await access.client.search(word, in: registry, limit: limit)
            }
            let rows = found.filter { result in conditions.allSatisfy { $0(result) } }.map { row($0, list) }
            for line in try list.lines(for: rows) { say(line) }
        }
    }

    /// The registry and the word to look for there.
    private static func place(of term: String) throws -> (String, String) {
        guard let slash = term.firstIndex(of: "/"), let registry = try? RegistryName.parsed(String(term[..<slash])),
            term[..<slash].contains(where: { $0 == "." || $0 == ":" }) || term[..<slash] == "localhost"
        else { return ("docker.io", term) }
        return (registry, String(term[term.index(after: slash)...]))
    }

    private static func condition(_ text: String) throws -> @Sendable (FoundRepository) -> Bool {
        let (key, value) = KeyValue.pair(text)
        switch key {
        case "is-official":
            if let wanted = value.flatMap(Truth.value(of:)) { return { $0.isOfficial == wanted } }
        case "stars":
            if let least = value.flatMap(Int64.init) { return { $0.stars >= least } }
        default: break
        }
        throw CommandError(
            .badFilter, "invalid filter '\(text)'", hint: "Use is-official=true, is-official=false or stars=NUMBER.")
    }

    private func row(_ found: FoundRepository, _ list: ListFormat) -> JSON {
        let description = TerminalText.line(found.description)
        return .object(
            ("Name", .string(TerminalText.line(found.name))),
            ("Description", .string(isWhole || !list.isTable ? description : description.ellipsized(to: 45))),
            ("StarCount", .string("\(found.stars)")),
            ("IsOfficial", .string(found.isOfficial ? (list.isTable ? "[OK]" : "true") : (list.isTable ? "" : "false")))
        )
    }
}
