import Diagnostics
package import DockerfileSyntax
import Graph
import OCI

/// Turns a Dockerfile into the steps that build one of its stages, and the config of the image that comes out.
///
/// Only what the target needs is looked at closely: other stages are not lowered and their images not resolved.
///
/// Warnings go to `log` at once, so that they are there even when this throws.
///
/// - Throws: ``FrontendError`` with the lines at fault, and whatever `resolver` throws.
package func lower(
    _ dockerfile: Dockerfile, _ options: BuildOptions, resolver: some BaseImageResolver, log: WarningLog = WarningLog()
) async throws -> BuildPlan {
    var planner = Planner(lowering: try Lowering(dockerfile, options, log), resolver: resolver)
    return try await planner.plan()
}

/// Checks the part of a Dockerfile before its first malformed instruction, as BuildKit reports it beside the error.
package func check(beginningOf bytes: [UInt8], _ options: BuildOptions, log: WarningLog) {
    guard let dockerfile = try? Dockerfile(beginningOf: bytes),
        let configuration = try? Lowering.checks(dockerfile, options)
    else { return }
    Linter(file: options.fileName, configuration: configuration, log: log).checkInstructions(dockerfile)
}

/// Finds out which stages and images are needed, and has them resolved and lowered in the right order.
private struct Planner<Resolver: BaseImageResolver> {
    var lowering: Lowering
    let resolver: Resolver

    mutating func plan() async throws -> BuildPlan {
        let table = lowering.table
        let target = try table.target(named: lowering.options.target)
        let needed =
            if lowering.options.checksAllStages {
                Array(table.entries.indices)
            } else if lowering.options.buildsUnusedStages {
                Array(0...target)
            } else {
                table.reachable(from: target)
            }
        lowering.checkAdvice(stages: needed, target: target)
        try await lower(stages: needed)
        try lowering.linter.enforce()
        return try lowering.plan(target: target)
    }

    /// Lowers stages together with what they copy from; `stages` are in file order and so are their warnings.
    private mutating func lower(stages: [Int]) async throws {
        let missing = stages.filter { lowering.states[$0] == nil }
        try await resolve(missing.flatMap { try lowering.imageRequests(of: $0) })
        for index in missing where lowering.states[index] == nil { try await lower(stage: index) }
    }

    private mutating func lower(stage index: Int) async throws {
        let triggers = try lowering.triggers(of: index)
        // Triggers of the base may copy from stages and images that nothing else in the file mentions. Stages further
        // down are left for the lowering to reject, so this ends.
        for trigger in triggers {
            for case .stage(let source) in try lowering.table.sources(of: trigger) where source < index {
                try await lower(stages: lowering.table.reachable(from: source))
            }
        }
        try await resolve(lowering.imageRequests(of: triggers))
        try lowering.lower(stage: index, triggers: triggers)
    }

    /// Resolves what is not known yet, all at once.
    private mutating func resolve(_ requests: [ImageRequest]) async throws {
        var keys: Set<ImageKey> = []
        let open = requests.filter { lowering.images[$0.key] == nil && keys.insert($0.key).inserted }
        let resolver = resolver
        let found = try await withThrowingTaskGroup(of: (ImageKey, ResolvedBase).self) { group in
            for request in open {
                group.addTask {
                    do {
                        return (request.key, try await resolver.resolve(request.key))
                    } catch let error as any AnyFailure {
                        throw error.located(at: request.location)
                    }
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        lowering.images.merge(found) { $1 }
    }
}

/// An image for a platform.
struct ImageKey: Hashable, Sendable {
    enum Name: Hashable, Sendable {
        case reference(ImageName)
        /// The name of a context.
        case layout(String)
    }

    let name: Name
    let platform: Platform
}

extension BaseImageResolver {
    func resolve(_ key: ImageKey) async throws -> ResolvedBase {
        switch key.name {
        case .reference(let name): try await resolve(name, platform: key.platform)
        case .layout(let context): try await resolve(layout: context, platform: key.platform)
        }
    }
}

/// An image that is needed, and the instruction that needs it.
struct ImageRequest: Sendable {
    let key: ImageKey
    let location: Diagnostics.SourceRange
}
