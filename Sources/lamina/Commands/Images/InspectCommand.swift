import ArgumentParser
import Console
import Containers
import Diagnostics
import Engine
import GoCompat
import Images
import OCI
import Store
import Transports

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show all that the store knows of images and containers, as JSON.",
        discussion: """
            A name that a container and an image have is the container. A name with docker://, oci:, oci-archive:, \
            docker-archive: or dir: is an image outside of the store, whose layers are not fetched.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Flag(help: "Outside of the store: print the manifest or index as it is.")
    var raw = false

    @Flag(help: "Outside of the store: print the config of the image as it is.")
    var config = false

    @Flag(name: [.customShort("n"), .customLong("no-tags")], help: "Of a docker:// name: do not list the tags.")
    var omitsTags = false

    @Option(help: ArgumentHelp("The platform of an index to show (default: this machine's).", valueName: "os/arch"))
    var platform: String?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("json, or a template such as '{{.Config.Cmd}}'.", valueName: "format"))
    var format: String?

    @Option(help: ArgumentHelp("Only a container or only an image, by its name.", valueName: "image|container"))
    var type: String?

    @Flag(name: .shortAndLong, help: "Of a container: show the size of what it has written.")
    var size = false

    @Argument(help: ArgumentHelp("Names or IDs, or one image outside of the store.", valueName: "name"))
    var images: [String]

    /// The place that an argument names by its transport; `nil` for a name or an ID of the store.
    private static func place(_ text: String) -> ImageLocation? {
        guard let location = try? ImageLocation(parsing: text) else { return nil }
        if case .store = location { return nil }
        return location
    }

    func validate() throws {
        guard type.map({ ["image", "container"].contains($0) }) ?? true else {
            throw ValidationError("--type takes 'image' or 'container'")
        }
        guard !images.contains(where: { Self.place($0) != nil }) else {
            guard images.count == 1 else { throw ValidationError("an image outside of the store is inspected alone") }
            guard !(raw && config) else { throw ValidationError("--raw and --config contradict each other") }
            return
        }
        guard !raw, !config, !omitsTags, login.text == nil else {
            throw ValidationError("--raw, --config, --no-tags and --creds are for images outside of the store")
        }
    }

    /// Prints an image outside of the store.
    private func inspect(_ location: ImageLocation) async throws {
        var reference = ImageReference(registry: "", repository: "", tag: nil)
        if case .registry(let name) = location { reference = name }
        let platform = try platform.map { try Platform(parsing: $0) } ?? .host
        let template = try format.flatMap { $0 == "json" ? nil : try GoTemplate(format: $0) }
        let bytes = try await registries.access(login, for: reference) { (registry) -> [UInt8] in
            let image = RemoteInspection(
                location: location, registry: registry, platform: platform, listsTags: !omitsTags)
            if raw { return try await image.rawManifest() }
            if config { return try await image.config() }
            let document = try await image.document()
            return Array((try template?.render(document) ?? document.text(.pretty(4))).utf8 + [0x0a])
        }
        CommandResult.write(bytes)
    }

    func run() async throws {
        try await global.run {
            if let location = images.first.flatMap(Self.place) { return try await inspect(location) }
            let names = images.map { $0.hasPrefix("lamina:") ? String($0.dropFirst("lamina:".count)) : $0 }
            let transfer = try global.images(.readOnly)
            let platform = try platform.map { try Platform(parsing: $0) }
            // What is found is printed even if something else is not, as docker does.
            var documents: [JSON] = []
            var failure: (any Error)?
            for name in names {
                do {
                    documents.append(try document(name, platform, transfer))
                } catch {
                    failure = failure ?? error
                }
            }
            if let format {
                let template = try GoTemplate(format: format)
                for document in documents { say(try template.render(typed(document, for: format))) }
            } else {
                say(JSON.array(documents).text(.pretty(4)))
            }
            if let failure { throw failure }
        }
    }

    /// The document with the fields that Docker's templates find in any case; as it is where all of it is printed.
    private func typed(_ document: JSON, for format: String) -> JSON {
        guard !["json", "{{json .}}"].contains(format) else { return document }
        guard document["HostConfig"] == nil else { return document.completed(with: DockerTypes.container) }
        // Older versions of Docker have the size by a second name.
        return document.completed(with: .object(("VirtualSize", document["Size"] ?? .integer(0))))
            .completed(with: DockerTypes.image)
    }

    /// The document of a container or an image: a container comes first, as with Docker.
    private func document(_ name: String, _ platform: Platform?, _ transfer: ImageTransfer) throws -> JSON {
        if type != "image", platform == nil {
            do {
                let container = try ContainerStore(transfer.store).find(name)
                return try ContainerDocument(container).json(showsSize: size)
            } catch let error as ContainersError where error.code == .notFound && type == nil {}
        }
        let image = try transfer.image(name, platform: platform)
        return Self.document(image, try transfer.config(of: image))
    }

    /// The document that `docker inspect` prints for an image.
    private static func document(_ image: StoredImage, _ config: ImageConfig) -> JSON {
        let digests = image.repositoryDigests.compactMap { reference in
            reference.digest.map { "\(reference.familiarName)@\($0)" }
        }
        return .object(
            ("Id", .string(image.id.description)),
            ("RepoTags", .array(image.names.map { .string($0.familiar) })),
            ("RepoDigests", .array(digests.map(JSON.string))),
            ("Comment", .string(config.history.last?.comment ?? "")),
            ("Created", .string(config.created?.description ?? "")),
            ("Author", .string(config.author ?? "")),
            ("Config", .object(config.config.json)),
            ("Architecture", .string(config.platform.architecture)),
            ("Variant", config.platform.variant.isEmpty ? nil : .string(config.platform.variant)),
            ("Os", .string(config.platform.os)),
            ("Size", .integer(image.size)),
            ("GraphDriver", .object(("Name", .string("overlay")), ("Data", .null))),
            (
                "RootFS",
                .object(
                    ("Type", .string("layers")), ("Layers", .array(config.diffIDs.map { .string($0.description) })))
            ))
    }
}
