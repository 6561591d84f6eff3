package import Frontend
package import OCI

/// Finds the images of several platforms' stages, each once for its platform.
///
/// One name is looked up for one platform after the other: what is learnt of its index serves the next.
package actor SharedBases: BaseImageResolver {
    private let bases: BaseImages
    private var tasks: [Key: Task<ResolvedBase, any Error>] = [:]
    /// The last look-up of a name.
    private var last: [Name: Task<ResolvedBase, any Error>] = [:]

    private enum Name: Hashable, Sendable {
        case reference(ImageName)
        case layout(String)
    }

    private struct Key: Hashable {
        let name: Name
        let platform: Platform
    }

    package init(_ bases: BaseImages) { self.bases = bases }

    package func resolve(_ name: ImageName, platform: Platform) async throws -> ResolvedBase {
        try await resolve(.reference(name), platform) { [bases] in
            try await bases.resolve(name, platform: platform)
        }
    }

    package func resolve(layout context: String, platform: Platform) async throws -> ResolvedBase {
        try await resolve(.layout(context), platform) { [bases] in
            try await bases.resolve(layout: context, platform: platform)
        }
    }

    private func resolve(
        _ name: Name, _ platform: Platform, _ body: @escaping @Sendable () async throws -> ResolvedBase
    ) async throws -> ResolvedBase {
        let task = task(Key(name: name, platform: platform), body)
        // When one platform's build gives up, all do.
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func task(
        _ key: Key, _ body: @escaping @Sendable () async throws -> ResolvedBase
    ) -> Task<ResolvedBase, any Error> {
        if let known = tasks[key] { return known }
        let former = last[key.name]
        let task = Task {
            _ = await former?.result
            try Task.checkCancellation()
            return try await body()
        }
        tasks[key] = task
        last[key.name] = task
        return task
    }
}
