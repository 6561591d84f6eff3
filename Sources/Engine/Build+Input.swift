import Caching
import Contexts
import Diagnostics
import DockerfileSyntax
import Execution
import Frontend
import Graph
import Images
import Layers
import Linux
import OCI
import Records
import Requests
import Solver
import Store
import SystemPackage
import Trees

/// Reading of what a build is made from.
extension Build {
    struct Definition {
        let dockerfile: Dockerfile
        let source: DockerfileSource
        /// `nil` for one that is no file of this machine.
        let path: FilePath?
        let name: String
        let step: StepReporter
    }

    /// Finds the files of the build, and brings those here that are elsewhere.
    func loadContext(_ loader: ContextLoader) async throws -> BuildContext {
        try request.inputs.check()
        guard let location = request.inputs.context else {
            try LocalFiles.requireContext(request.context)
            return BuildContext(request.context, isLocal: true)
        }
        let context = try await loader.load(location)
        guard let path = request.inputs.subdirectory else { return context }
        return try await offload { try context.directory(path) }
    }

    /// Reads and parses the Dockerfile; `source` gets its text even if it cannot be parsed.
    func loadDefinition(
        in context: BuildContext, _ remotes: RemoteSources, _ source: (DockerfileSource) -> Void = { _ in }
    ) async throws -> Definition {
        let file = try await DefinitionFile.load(request.dockerfile, request.inputs, in: context, remotes)
        let step = progress.begin(
            "[internal] load build definition from \(FilePath(file.name).lastComponent?.string ?? file.name)")
        do {
            step.status("transferring dockerfile:", current: Int64(file.bytes.count), isComplete: true)
            let text = DockerfileSource(name: file.name, bytes: file.bytes)
            texts.remember(text)
            source(text)
            let dockerfile = try parse(file.bytes, name: file.name)
            step.finish(.done)
            return Definition(dockerfile: dockerfile, source: text, path: file.path, name: file.name, step: step)
        } catch {
            for warning in warnings.warnings { step.warn(warning.summary) }
            step.finish(error)
            throw error
        }
    }

    private func parse(_ bytes: [UInt8], name: String) throws -> Dockerfile {
        do { return try Dockerfile(parsing: bytes) } catch {
            Frontend.check(beginningOf: bytes, request.options.named(name), log: warnings)
            throw FrontendImage.refusal(of: bytes, file: name) ?? FrontendError(error, file: name)
        }
    }

    /// Only in the user's own directory an ignore file counts without being asked for.
    func loadIgnoreRules(of context: BuildContext, dockerfile: FilePath?) async throws -> IgnoreRules {
        guard context.isLocal || request.inputs.ignoreFile != nil else { return try IgnoreFile.none().rules }
        return try await progress.step("[internal] load .dockerignore") { step in
            let file = try await offload { [chosen = request.inputs.ignoreFile] in
                try IgnoreFile(dockerfile: dockerfile, context: context.directory, chosen: chosen)
            }
            // BuildKit shows two bytes for a file that is not there.
            step.status("transferring context:", current: Int64(file.path == nil ? 2 : file.size), isComplete: true)
            return file.rules
        }
    }

    /// Lowers the Dockerfile, once for each platform, and shows what the checks have found, whether or not it can be
    /// built. The plans have one graph.
    func plans(
        _ source: Definition, _ options: BuildOptions, rules: IgnoreRules, resolver: BaseImages
    ) async throws -> [BuildPlan] {
        var options = options
        options.ignoreRules = rules
        defer { for warning in warnings.warnings { source.step.warn(warning.summary) } }
        guard request.makesIndex else {
            return [try await Frontend.lower(source.dockerfile, options, resolver: resolver, log: warnings)]
        }
        return try await PlatformPlans(source.dockerfile, request.platformOptions(options), log: warnings)
            .lower(resolver: SharedBases(resolver))
    }
}

extension BuildOptions {
    func named(_ name: String) -> BuildOptions {
        var options = self
        options.fileName = name
        return options
    }
}
