import Diagnostics
import DockerfileSyntax
package import Graph
import Linux
package import OCI
package import Requests
import Solver
import Store
package import Trees

/// The files of a build's contexts. Those that are given by name are fetched and opened when a step first needs them.
package actor ContextTreeCache {
    package nonisolated let main: ContextTree
    private let contexts: [String: NamedContext]
    private let loader: ContextLoader
    /// How local directories are seen.
    private let form: ContextForm
    private var tasks: [String: Task<(ContextTree, BuildContext), any Error>] = [:]

    package init(main: ContextTree, named contexts: [NamedContext], loader: ContextLoader, form: ContextForm = .disk) {
        self.form = form
        self.main = main
        self.contexts = Dictionary(contexts.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        self.loader = loader
    }

    /// The key by which the inputs of a vertex are known for contexts.
    package static func key(_ source: ContextSource) -> Digest {
        var key = KeyHasher("context/1")
        key.add(source.name)
        return key.finish()
    }

    package func tree(_ source: ContextSource) async throws -> ContextTree {
        guard source != .main else { return main }
        guard let context = contexts[source.name] else {
            throw ContextsError(.badContext, "there is no context '\(source.name)'")
        }
        if let task = tasks[source.name] { return try await task.value.0 }
        let task = Task { [loader, form] in try await Self.open(context, loader, form) }
        tasks[source.name] = task
        return try await task.value.0
    }

    /// For each input of a vertex, by their keys, the files if it is a context.
    package func trees(of inputs: [Digest]) async throws -> [ContextTree?] {
        var trees: [ContextTree?] = []
        for key in inputs {
            if key == Self.key(.main) {
                trees.append(main)
            } else if let name = contexts.keys.first(where: { Self.key(ContextSource(name: $0)) == key }) {
                trees.append(try await tree(ContextSource(name: name)))
            } else {
                trees.append(nil)
            }
        }
        return trees
    }

    /// Keeps what was learnt about the files for the next build.
    package func saveDigests() async {
        main.saveDigests()
        for task in tasks.values { try? await task.value.0.saveDigests() }
    }

    private static func open(
        _ context: NamedContext, _ loader: ContextLoader, _ form: ContextForm
    ) async throws -> (ContextTree, BuildContext) {
        switch context.content {
        case .git(let source, let label):
            let files = try await loader.load(.git(source, label: label))
            return (
                try ContextTree(files.directory, rules: IgnoreRules(patterns: []), cache: loader.store.contexts), files
            )
        case .directory(let path):
            let rules = try await loader.remotes.progress.step("[context \(context.name)] load .dockerignore") { _ in
                try await offload {
                    try LocalFiles.requireContext(path, named: context.name)
                    return try IgnoreFile(dockerfile: nil, context: path).rules
                }
            }
            return (
                try ContextTree(
                    path, rules: rules, cache: loader.store.contexts, form: form, without: loader.store.path),
                BuildContext(path, isLocal: true)
            )
        case .file, .image, .layout: throw ContextsError(.badContext, "the context '\(context.name)' has no directory")
        }
    }
}
