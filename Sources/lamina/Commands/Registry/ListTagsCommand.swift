import ArgumentParser
import Console
import Diagnostics
import GoCompat
import Images
import OCI
import Registry

struct ListTagsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list-tags", abstract: "List the tags of a repository in its registry.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Option(help: ArgumentHelp("json (as skopeo prints it), or a template such as '{{.Tags}}'.", valueName: "format"))
    var format: String?

    @Argument(help: ArgumentHelp("The repository.", valueName: "name"))
    var name: String

    func run() async throws {
        try await global.run {
            let name = try RemoteName.repository(name)
            let reference = try await registries.reference(for: name, login, isRepository: true)
            let tags = try await registries.access(login, for: reference) { try await $0.client.tags(of: reference) }
            guard let format else {
                for tag in tags { say(TerminalText.line(tag)) }
                return
            }
            let document = JSON.object(
                ("Repository", .string(reference.name)), ("Tags", .array(tags.map(JSON.string))))
            say(format == "json" ? document.text(.pretty(4)) : try GoTemplate(format: format).render(document))
        }
    }
}

struct DigestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digest", abstract: "Print the digest that a name stands for in its registry.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @OptionGroup var document: DocumentOptions

    @Option(
        help: ArgumentHelp("Print the digest of the image for this platform, not of the index.", valueName: "os/arch"))
    var platform: String?

    @Argument(help: ArgumentHelp("The image.", valueName: "name[:tag]"))
    var name: String

    func run() async throws {
        try await global.run {
            let reference = try await registries.reference(for: RemoteName.image(name), login)
            let platform = try platform.map { try Platform(parsing: $0) }
            let digest = try await registries.access(login, for: reference) { registry in
                guard let platform else { return try await registry.client.descriptor(of: reference).digest }
                return try await registry.client.resolve(reference, platform: platform).manifestDescriptor.digest
            }
            if document.isDocument {
                return try document.show(
                    ("name", .string(reference.description)), ("digest", .string(digest.description)))
            }
            say(digest.description)
        }
    }
}

/// Names of what is in registries, with or without the prefix of skopeo's transports.
enum RemoteName {
    static let prefix = "docker://"

    /// With the prefix a name means what Docker means by it, as with skopeo.
    static func image(_ text: String) throws -> ImageName {
        guard text.hasPrefix(prefix) else { return try ImageName(parsing: text) }
        return ImageName(try ImageReference(parsing: String(text.dropFirst(prefix.count))))
    }

    /// A repository, which has no tag.
    static func repository(_ text: String) throws -> ImageName {
        let name = try image(text)
        guard !text.contains("@"), text.split(separator: "/").last?.contains(":") != true else {
            throw RegistryError(
                .malformedURL, "'\(text)' names an image, not a repository", hint: "Leave the tag or digest out.")
        }
        return name
    }
}

extension RegistryOptions {
    /// The image or the repository that a name stands for. Registries are asked where it may be one of several; a login
    /// is for one registry, so there may be none then.
    func reference(
        for name: ImageName, _ login: LoginOption, isRepository: Bool = false
    ) async throws -> ImageReference {
        guard name.shortName != nil else { return name.reference }
        let candidates = try settings().clientOptions.configuration.candidates(for: name)
        guard candidates.count > 1 else { return candidates[0] }
        guard login.text == nil else {
            let names = candidates.map(\.description).joined(separator: ", ")
            throw RegistryError(
                .configuration, "--creds is for one registry, and the image may be \(names)",
                hint: "Write the name with its registry.")
        }
        return try await access(login, for: candidates[0]) { access in
            isRepository
                ? try await access.client.repository(for: name) : try await access.client.reference(for: name)
        }
    }

    /// Runs `body` with access to registries, which ends with it; `login` is for the registry of `reference`.
    func access<Value: Sendable>(
        _ login: LoginOption, for reference: ImageReference, _ body: (RegistryAccess) async throws -> Value
    ) async throws -> Value {
        let access = RegistryAccess(try settings(login, for: reference.registry))
        do {
            let value = try await NetworkNotice.heard(by: Self.showNotice) { try await body(access) }
            try await access.shutdown()
            return value
        } catch {
            try? await access.shutdown()
            throw error
        }
    }
}
