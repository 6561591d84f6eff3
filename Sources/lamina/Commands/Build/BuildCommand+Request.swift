import Diagnostics
import Engine
import Frontend
import OCI
import Requests
import SystemPackage

extension BuildCommand {
    /// The request that the options make, but for those of all steps.
    func request() throws -> BuildRequest {
        var request = BuildRequest(context: FilePath(path))
        let buildArguments = try arguments.arguments(takesEpoch: form.timestamp == nil)
        request.inputs = try contexts.inputs(path: path, file: file, arguments: buildArguments)
        if request.inputs.definition == nil { request.dockerfile = file.map { FilePath($0) } }
        request.tags = try tag.map { try Self.tagReference($0) }
        request.isolation = try isolation.mode()
        request.options = try options(buildArguments)
        try request.setPlatforms(arguments.platforms())
        request.freshness = try cacheUse.freshness()
        request.housekeeping = try housekeeping.request()
        request.caches = try caches.sharing(buildArguments)
        request.secrets = try secrets.map { try BuildSecret.parse($0, environment: GlobalOptions.environment) }
        request.agents = try agents.map { try AgentSocket.parse($0, environment: GlobalOptions.environment) }
        request.sandbox = try sandbox.request()
        request.namesBuilder = builderAnnotation
        request.isReproducible = form.isReproducible
        request.squash = form.squash
        if resultFiles.metadataFile != nil {
            request.metadata = MetadataRequest(environment: GlobalOptions.environment)
        }
        request.outputs = try outputs()
        try request.checkPlatforms()
        request.attestations = try attestations.request()
        // Built for one platform, a result has an index only for its attestations.
        try request.checkOutputs(
            platforms: request.platforms.isEmpty ? [request.options.platform] : request.platforms,
            hasIndex: request.makesIndex || request.attestations.needsIndex)
        try resultFiles.check(request)
        return request
    }

    /// The outputs, of which those that are images get what the other options say of their form.
    private func outputs() throws -> [BuildOutput] {
        var settings = try form.settings()
        settings.annotations = try annotations.flatMap { try ImageAnnotation.parse($0) }
        var outputs = try output.map { try BuildOutput.parse($0, settings) }
        if push { outputs.append(.push(settings)) }
        return outputs.isEmpty ? [.store(settings)] : outputs
    }

    private static func tagReference(_ text: String) throws -> ImageReference {
        let reference = try ImageReference(parsing: text)
        guard reference.digest == nil else {
            throw RequestsError(.badOutput, "invalid tag \"\(text)\": a name of a build has no digest")
        }
        return reference
    }

    private func options(_ buildArguments: [(name: String, value: String?)]) throws -> BuildOptions {
        var options = BuildOptions(
            target: target, buildArguments: buildArguments,
            labels: labels.map { text in
                let (name, value) = KeyValue.pair(text)
                return (name, value ?? "")
            }, noCache: try cacheUse.noCacheChoice(), contexts: try contexts.named())
        options.buildsUnusedStages = !cacheUse.skipsUnusedStages
        options.firstBase = config.base
        options.changes = try config.changes()
        return options
    }
}
