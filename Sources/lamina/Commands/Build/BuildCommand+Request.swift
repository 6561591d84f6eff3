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
        let buildArguments = try arguments.arguments()
        request.inputs = try contexts.inputs(path: path, file: file, arguments: buildArguments)
        if request.inputs.definition == nil { request.dockerfile = file.map { FilePath($0) } }
        request.tags = try tag.map { try Self.tagReference($0) }
        for text in output {
            let (output, names) = try BuildOutput.parse(text)
            request.outputs.append(output)
            request.tags += try names.map { try Self.tagReference($0) }
        }
        if push { request.outputs.append(.push) }
        if request.outputs.contains(.push), request.tags.isEmpty {
            throw RequestsError(.badOutput, "tag is needed when pushing to registry", hint: "Name the image with -t.")
        }
        request.isolation = try isolation.mode()
        request.options = try options(buildArguments)
        request.freshness = try cacheUse.freshness()
        request.housekeeping = try housekeeping.request()
        request.caches = try caches.sharing(buildArguments)
        request.secrets = try secrets.map { try BuildSecret.parse($0, environment: GlobalOptions.environment) }
        request.agents = try agents.map { try AgentSocket.parse($0, environment: GlobalOptions.environment) }
        request.sandbox = try sandbox.request()
        request.annotations = builderAnnotation ? BuildRequest.builderAnnotations : [:]
        for annotation in annotations {
            let (key, value) = KeyValue.pair(annotation)
            request.annotations[key] = value ?? ""
        }
        try resultFiles.check(request)
        return request
    }

    private static func tagReference(_ text: String) throws -> ImageReference {
        let reference = try ImageReference(parsing: text)
        guard reference.digest == nil else {
            throw RequestsError(.badOutput, "invalid tag \"\(text)\": a name of a build has no digest")
        }
        return reference
    }

    private func options(_ buildArguments: [(name: String, value: String?)]) throws -> BuildOptions {
        let platform = try arguments.platformChoice()
        var options = BuildOptions(
            target: target, buildArguments: buildArguments,
            labels: labels.map { text in
                let (name, value) = KeyValue.pair(text)
                return (name, value ?? "")
            }, platform: platform ?? .host, isPlatformExplicit: platform != nil,
            noCache: try cacheUse.noCacheChoice(), contexts: try contexts.named())
        options.firstBase = config.base
        options.changes = try config.changes()
        return options
    }
}
