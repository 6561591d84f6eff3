import ArgumentParser
import Diagnostics
import Images
import OCI
import SystemPackage
import Transports
import Trees

struct IndexPushCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Copy an index of the store to a registry or to another place.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Flag(name: [.customLong("purge"), .customLong("rm"), .customShort("p")], help: "Remove it from the store then.")
    var removes = false

    @Option(
        name: .customLong("digestfile"),
        help: ArgumentHelp("Write the digest of the index to a file.", valueName: "file"))
    var digestFile: String?

    @Flag(name: .shortAndLong, help: "Print nothing.")
    var quiet = false

    @Argument(help: ArgumentHelp("The index.", valueName: "index"))
    var name: String

    @Argument(
        help: ArgumentHelp("Its place, as in 'lamina copy' (default: the registry of its name).", valueName: "place"))
    var destination: String?

    /// A place to push to: a plain name is one in a registry.
    private static func target(_ text: String) throws -> ImageLocation {
        let location = try ImageLocation(parsing: text)
        guard case .store(let name) = location, !text.hasPrefix("lamina:") else { return location }
        return .registry(try ImageReference(parsing: name))
    }

    func run() async throws {
        try await global.run {
            let source = try ImageLocation(parsing: name)
            guard case .store(let text) = source else {
                throw TransportsError(
                    .badName, "'\(name)' is not in the store", hint: "Copy it with 'lamina copy \(name) DESTINATION'.")
            }
            let target = try Self.target(destination ?? text)
            let digest = try await global.withIndexes(registries, login, for: target) { places in
                let messages = CopyMessages(isQuiet: quiet)
                var copy = ImageCopy()
                copy.requiresAll = true
                return try await copy.run(
                    from: try await places.reader(source), to: try places.writer(target)
                ) { messages.show($0) }.digest
            }
            if removes { _ = try global.images().remove(text, force: false) }
            if let digestFile { try FileSystem.write(Array(digest.description.utf8), to: FilePath(digestFile)) }
            if !quiet { say("\(target): digest: \(digest)") }
        }
    }
}
