import ArgumentParser
import Console
import Diagnostics
import Images
import Logins
import OCI
import Registry

struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog", abstract: "List the repositories of a registry.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @OptionGroup var document: DocumentOptions

    @Flag(name: .customLong("full-ref"), help: "Print the names with the registry before them.")
    var showsFullName = false

    @Argument(help: ArgumentHelp("The registry: host, or host:port.", valueName: "server"))
    var server: String

    func run() async throws {
        try await global.run {
            let registry = try RegistryName.parsed(server)
            let reference = ImageReference(registry: registry, repository: "", tag: nil)
            let names = try await registries.access(login, for: reference) { access in
                try await access.client.catalog(of: registry)
            }
            if document.isDocument {
                return try document.show(
                    ("registry", .string(registry)), ("repositories", .array(names.map(JSON.string))))
            }
            for name in names { say(TerminalText.line(showsFullName ? "\(registry)/\(name)" : name)) }
        }
    }
}

struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a tag or a manifest from its registry.",
        discussion: """
            A name with a digest stands for the manifest, which goes with all its tags. A name with a tag stands for the \
            tag alone, which not every registry can remove. 'lamina rmi' is for images of the store.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Argument(help: ArgumentHelp("The image, with its tag or digest.", valueName: "name:tag|name@digest"))
    var name: String

    func run() async throws {
        try await global.run {
            let reference = try RemoteName.image(name).reference
            // What is deleted is gone: nothing is taken for granted here, as 'latest' is elsewhere.
            guard name.contains("@") || name.split(separator: "/").last?.contains(":") == true else {
                throw RegistryError(
                    .malformedURL, "'\(name)' has no tag and no digest",
                    hint: "Say which one to delete, e.g. '\(name):1'.")
            }
            try await registries.access(login, for: reference) { try await $0.client.delete(reference) }
        }
    }
}
