import Attestations
import Contexts
import Diagnostics
import DockerfileSyntax
import Frontend
import Graph
import Images
import Linux
import OCI
import Records
import Requests
import Store
import SystemPackage
import Trees

/// Puts together what the provenance of a build says, but for the layers of its image.
struct ProvenanceGathering: Sendable {
    /// One run of the builder.
    struct Invocation: Sendable {
        let identifier = ProvenanceGathering.randomIdentifier()
        let started: Timestamp
        let finished: Timestamp
    }

    let request: BuildRequest
    let settings: ProvenanceSettings
    let options: BuildOptions
    let file: DockerfileSource
    let plan: BuildPlan
    let remotes: RemoteSources
    let environment: [String: String]
    let invocation: Invocation

    func provenance() async throws -> Provenance {
        let vertices = plan.graph.reachable(from: plan.target)
        let isFixed = request.isReproducible
        let time = isFixed ? plan.epoch.map { Timestamp(seconds: $0) } : nil
        let source = try await source()
        var result = Provenance(
            source: source, platform: plan.config.platform,
            file: Provenance.File(name: FilePath(file.name).lastComponent?.string ?? file.name, base64: file.base64),
            invocationID: isFixed ? Provenance.identifier(of: Digest(of: file.bytes)) : invocation.identifier,
            started: time ?? invocation.started, finished: time ?? invocation.finished,
            isOffline: Self.isOffline(vertices))
        result.settings = settings
        result.arguments = arguments
        for vertex in vertices { Self.note(vertex, in: &result) }
        result.locals = locals(vertices, isRemote: source.material != nil)
        result.materials = try await materials(vertices) + (source.material.map { [$0] } ?? [])
        if source.material == nil {
            var facts = await LocalCheckout(request.context, environment: environment).facts()
            // Two clones of one commit may have come by two addresses.
            if isFixed { facts["source"] = nil }
            result.checkout = facts.mapValues(Redaction.withoutLogins)
        }
        result.steps = steps(vertices)
        return result
    }

    // MARK: The request

    private var arguments: [String: String] {
        var arguments: [String: String] = [:]
        for case let (name, value?) in options.buildArguments.map({ ($0.name, $0.value) }) {
            arguments["build-arg:\(name)"] = value
        }
        for (name, value) in options.labels { arguments["label:\(name)"] = value }
        if let target = options.target, !target.isEmpty { arguments["target"] = target }
        switch options.noCache {
        case .none: break
        case .all: arguments["no-cache"] = ""
        case .stages(let names): arguments["no-cache"] = names.joined(separator: ",")
        }
        arguments[Squash.argument] = request.squash?.rawValue
        return arguments
    }

    /// The origin of the context.
    private func source() async throws -> Provenance.Source {
        // Where a local file is on this machine is nobody's business; BuildKit has it in a source of its own.
        let isLocal =
            switch request.inputs.context {
            case .git, .http: false
            case .directory, .standardInput, .archive, .object, nil: true
            }
        let name = FilePath(file.name).lastComponent?.string ?? "Dockerfile"
        let path = isLocal ? name : request.dockerfile?.string ?? name
        let material: Provenance.Material? =
            switch request.inputs.context {
            case .git(let source, _): try await Self.material(source, remotes)
            case .http(let source, let label): try await material(source, label)
            case .directory, .standardInput, .archive, .object, nil: nil
            }
        return Provenance.Source(material: material, path: path)
    }

    /// The names of what came from this machine.
    private func locals(_ vertices: [Vertex], isRemote: Bool) -> [String] {
        var names: Set<String> = isRemote ? [] : ["dockerfile"]
        for vertex in vertices {
            guard case .context(let source) = vertex.operation, source != .main || !isRemote else { continue }
            names.insert(source.name)
        }
        return names.sorted()
    }

    // MARK: Steps

    private static func isOffline(_ vertices: [Vertex]) -> Bool {
        vertices.allSatisfy { vertex in
            guard case .run(let run) = vertex.operation else { return true }
            return run.network == .none
        }
    }

    /// Notes the secrets and agents of a command.
    private static func note(_ vertex: Vertex, in provenance: inout Provenance) {
        guard case .run(let run) = vertex.operation else { return }
        for mount in run.mounts {
            switch mount {
            case .secret(let secret):
                provenance.secrets[secret.id] = !secret.isRequired && provenance.secrets[secret.id] != false
            case .ssh(let agent):
                let id = agent.id.isEmpty ? "default" : agent.id
                provenance.agents[id] = !agent.isRequired && provenance.agents[id] != false
            default: break
            }
        }
    }

    private func steps(_ vertices: [Vertex]) -> [Provenance.Step] {
        let made = plan.steps.compactMap(\.vertex)
        let baseCount = plan.config.diffIDs.count
        let counts = Dictionary(
            made.enumerated().map { ($1, baseCount + $0 + 1) }, uniquingKeysWith: { $1 })
        return vertices.map { vertex in
            Provenance.Step(lines: vertex.location?.lines, layerCount: counts[vertex.id] ?? 0)
        }
    }

    // MARK: Materials

    /// Images, repositories and files, each kind sorted.
    private func materials(_ vertices: [Vertex]) async throws -> [Provenance.Material] {
        var images: Set<Provenance.Material> = []
        var repositories: Set<Provenance.Material> = []
        var files: Set<Provenance.Material> = []
        for vertex in vertices {
            switch vertex.operation {
            case .image(let source):
                let digest = source.reference.digest ?? source.imageID
                images.insert(.init(image: source.reference, digest: digest, platform: source.platform))
            case .git(let source): repositories.insert(try await Self.material(source, remotes))
            case .http(let source): files.insert(try await material(source, vertex.label))
            default: break
            }
        }
        return [images, repositories, files].flatMap { $0.sorted { $0.uri < $1.uri } }
    }

    private static func material(
        _ source: GitSource, _ remotes: RemoteSources
    ) async throws -> Provenance.Material {
        let hash = try await remotes.commit(of: source).hash
        var address = Redaction.withoutLogins(source.remote)
        if !source.ref.isEmpty || !source.subdirectory.isEmpty { address += "#" + source.ref }
        if !source.subdirectory.isEmpty { address += ":" + source.subdirectory }
        return Provenance.Material(uri: address, algorithm: hash.utf8.count == 64 ? "sha256" : "sha1", hex: hash)
    }

    private func material(_ source: HTTPSource, _ label: String) async throws -> Provenance.Material {
        let digest =
            if let checksum = source.checksum { checksum } else {
                try await remotes.file(source, label: label).digest
            }
        return Provenance.Material(
            uri: Redaction.withoutLogins(source.url), algorithm: "sha256", hex: digest.hex)
    }

    // MARK: Identifiers

    private static let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz")

    /// 25 digits to the base 36, as BuildKit's identifiers are.
    fileprivate static func randomIdentifier() -> String { String((0..<25).map { _ in digits.randomElement() ?? "0" }) }
}
