package import Attestations
import Contexts
import Diagnostics
import Frontend
import Graph
import Linux
package import OCI
package import Requests
package import Store
package import SystemPackage
import Trees

/// The request that builds an image again, by what its provenance says.
package struct Rebuild: Sendable {
    package let request: BuildRequest
    /// Sentences about parts that could not be made as they were.
    package let notes: [String]
    /// The Dockerfile and the digests of base images; removed when the build is over.
    private let files: TemporaryDirectory

    private let provenance: RecordedProvenance

    /// `context` is where the files are now, of an image that was built from files of a machine. `layers` are those of
    /// the image's manifest.
    ///
    /// Throws ``EngineError`` `.unsupported` for provenance that does not say enough, and `.changed` for a context that
    /// is another one.
    package init(
        _ provenance: RecordedProvenance, of config: ImageConfig, layers: [Descriptor], context: FilePath?,
        secrets: [BuildSecret], agents: [AgentSocket], environment: [String: String], in store: StoreRoot
    ) async throws {
        self.provenance = provenance
        files = try store.temporaryDirectory()
        var notes: [String] = []
        if !provenance.saysAll {
            notes.append("the provenance is of mode=min: values of arguments and labels are not known")
        }
        let given = Set(secrets.map(\.id))
        for id in provenance.secrets where !given.contains(id) { notes.append("the secret '\(id)' is not given") }
        var request = BuildRequest(context: context ?? ".")
        request.options = Self.options(provenance, config)
        request.platforms = [config.platform]
        request.secrets = secrets
        request.agents = agents
        request.options.noCache = .all
        request.squash = provenance.arguments[Squash.argument].flatMap(Squash.init)
        let epoch = Self.epoch(layers)
        request.isReproducible = provenance.isReproducible
        var settings = ImageSettings()
        if epoch != nil || request.isReproducible { settings.times = .clamped }
        settings.epoch = request.isReproducible ? nil : epoch
        settings.layers.isReproducible = request.isReproducible
        request.outputs = [.store(settings)]
        request.freshness.lock = try Self.lock(provenance, in: files.path, store)
        self.notes = notes
        if let source = provenance.source.material {
            request.inputs.context = try Self.location(source)
            request.dockerfile = FilePath(provenance.source.path)
        } else {
            guard let context else { throw Self.unknownContext }
            try await Self.check(context, provenance, environment)
            request.dockerfile = try Self.dockerfile(provenance, context, in: files.path)
        }
        self.request = request
    }

    private static let unknownContext = EngineError(
        .unsupported, "the image was built from files of a machine, and its provenance does not have them",
        hint: "Name the directory with --context.")

    // MARK: The request

    private static func options(_ provenance: RecordedProvenance, _ config: ImageConfig) -> BuildOptions {
        func values(_ prefix: String) -> [(name: String, value: String)] {
            provenance.arguments.sorted { $0.key < $1.key }.compactMap { key, value in
                key.hasPrefix(prefix) ? (String(key.dropFirst(prefix.count)), value) : nil
            }
        }
        return BuildOptions(
            target: provenance.arguments["target"],
            buildArguments: values("build-arg:").map { ($0.name, Optional($0.value)) }, labels: values("label:"),
            platform: config.platform, isPlatformExplicit: true)
    }

    /// The time that files of the image's own layers were given.
    private static func epoch(_ layers: [Descriptor]) -> Int64? {
        layers.lazy.compactMap { $0.annotations["buildkit/rewritten-timestamp"].flatMap { Int64($0) } }.first
    }

    private static func location(_ source: Provenance.Material) throws -> ContextLocation {
        switch try ContextLocation(parsing: source.uri) {
        case .git(var git, let label):
            git.checksum = source.hex
            git.fetchesByCommit = true
            return .git(git, label: label)
        case .http(var file, let label):
            file.checksum = try Digest(parsing: "sha256:\(source.hex)")
            return .http(file, label: label)
        case .directory, .standardInput, .archive, .object:
            throw EngineError(.unsupported, "the source '\(source.uri)' of the image cannot be read again")
        }
    }

    /// Writes the digests of the base images that the build has used.
    private static func lock(
        _ provenance: RecordedProvenance, in directory: FilePath, _ store: StoreRoot
    ) throws -> FilePath {
        let members = try provenance.images.compactMap { image -> (String, JSON)? in
            guard let digest = image.digest, image.tag != nil else { return nil }
            let name = image.with(tag: image.tag, digest: nil)
            // An image that no registry has is known by its ID.
            if try store.images.image(named: name)?.id == digest { return nil }
            return (name.description, .string(digest.description))
        }
        let path = directory.appending("bases.json")
        let document = JSON.object(("schema", .integer(1)), ("images", .object(JSONObject(members))))
        try FileSystem.write(document.encoded(), to: path)
        return path
    }

    // MARK: Local files

    /// Makes sure that a checkout is at the commit that the image was built from.
    private static func check(
        _ context: FilePath, _ provenance: RecordedProvenance, _ environment: [String: String]
    ) async throws {
        guard let revision = provenance.checkout["revision"] else { return }
        guard let current = await LocalCheckout(context, environment: environment).facts()["revision"],
            current != revision
        else { return }
        throw EngineError(
            .changed, "the image was built from the commit \(revision), and '\(context)' is at \(current)",
            hint: "Check that commit out, without changes.")
    }

    /// The Dockerfile that the provenance has, at its own place if it is the same there.
    private static func dockerfile(
        _ provenance: RecordedProvenance, _ context: FilePath, in directory: FilePath
    ) throws -> FilePath? {
        let name = FilePath(provenance.source.path).lastComponent?.string ?? "Dockerfile"
        let place = context.appending(name)
        guard let file = provenance.file, let bytes = file.bytes else { return place }
        let present = try? OwnedDescriptor.open(place).readAll(limit: 16 << 20)
        if present == bytes { return place }
        let copy = directory.appending(name)
        try FileSystem.write(bytes, to: copy)
        return copy
    }
}
