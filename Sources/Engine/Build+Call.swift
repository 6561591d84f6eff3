import Contexts
import DockerfileSyntax
import Execution
package import Frontend
import Images
import Layers
import Linux
import Requests
import Store
import Trees

/// Answers to questions about a Dockerfile, for which nothing is built.
extension Build {
    /// Checks the Dockerfile: the target and what it needs or, without a target, all of it.
    ///
    /// Errors that make a build impossible are part of the report, unless there is no Dockerfile to report on.
    package func check() async throws -> CheckReport {
        let lease = try store.lease()
        var source: DockerfileSource?
        var failure: (any Error)?
        do {
            let (files, remotes) = try await contextForCall()
            let definition = try await loadDefinition(in: files, remotes) { source = $0 }
            let rules = try await loadIgnoreRules(of: files, dockerfile: definition.path)
            var options = request.options.named(definition.name)
            // Nothing is fetched for a time that no step will have.
            if try !EpochSource(definition.dockerfile, options).isKnown { options.setEpoch(nil) }
            options.ignoreRules = rules
            options.givesAdvice = true
            options.checksAllStages = (options.target ?? "").isEmpty
            let tree = try ContextTree(files.directory, rules: rules, cache: nil, without: store.path)
            let copied = CopiedFiles(tree: tree, keeping: files)
            options.contextFiles = copied.files(of:)
            _ = try await lower(
                definition.dockerfile, options, resolver: baseImages(try await lock()), log: warnings)
        } catch {
            if error is CancellationError || source == nil { throw error }
            failure = error
        }
        _ = consume lease
        guard let source else { preconditionFailure("a Dockerfile that was checked was read") }
        return CheckReport(warnings: warnings.warnings, source: source, error: failure)
    }

    /// The context, and what fetched it; commands that are no builds run no steps.
    private func contextForCall() async throws -> (BuildContext, RemoteSources) {
        let tools = BuildTools(request, images: images, progress: progress)
        return (try await loadContext(tools.loader), tools.remotes)
    }

    /// The arguments, secrets and sockets that the build of the target takes.
    package func outline() async throws -> Outline {
        let lease = try store.lease()
        let (files, remotes) = try await contextForCall()
        let definition = try await loadDefinition(in: files, remotes)
        let outline = try await Outline(
            definition.dockerfile, request.options.named(definition.name), source: definition.source,
            resolver: baseImages(try await lock()))
        _ = consume lease
        return outline
    }

    /// The stages of the Dockerfile.
    package func targets() async throws -> TargetList {
        let lease = try store.lease()
        let (files, remotes) = try await contextForCall()
        let definition = try await loadDefinition(in: files, remotes)
        _ = consume lease
        return TargetList(definition.dockerfile, source: definition.source)
    }
}

/// Tells which files of a build context a COPY would take, without reading them.
private struct CopiedFiles: Sendable {
    let tree: ContextTree
    /// The owner of the tree's files.
    let context: BuildContext

    init(tree: ContextTree, keeping context: BuildContext) {
        self.tree = tree
        self.context = context
    }

    /// The paths of the regular files that a source of COPY takes; none where it names nothing.
    func files(of word: String) -> [String] {
        var paths: [String] = []
        let matches = try? SourceMatcher(tree: tree, keepsParents: false).matches(word)
        for match in matches ?? [] { try? list(match.node, into: &paths) }
        return paths
    }

    private func list(_ node: FileNode, into paths: inout [String]) throws {
        func add(_ node: FileNode) {
            if node.entry.kind == .regular, node.entry.size > 0 { paths.append(node.path.text) }
        }
        add(node)
        guard node.isDirectory else { return }
        try tree.walk(below: node) { child in
            add(child)
            return true
        }
    }
}
