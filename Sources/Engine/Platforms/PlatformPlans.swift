import Contexts
import DockerfileSyntax
import Frontend
import Graph
import OCI

/// Lowers one Dockerfile for several platforms at once.
struct PlatformPlans {
    private let dockerfile: Dockerfile
    private let options: [BuildOptions]
    private let log: WarningLog

    /// The options are those of each platform.
    init(_ dockerfile: Dockerfile, _ options: [BuildOptions], log: WarningLog) {
        self.dockerfile = dockerfile
        self.options = options
        self.log = log
    }

    /// The plans in the order of the platforms, with one graph.
    ///
    /// Throws the error of the first platform that fails by its own fault.
    func lower(resolver: SharedBases) async throws -> [BuildPlan] {
        let logs = options.map { _ in WarningLog() }
        defer { for own in logs { log.take(over: own.warnings) } }
        let results = await withTaskGroup(of: (Int, Result<BuildPlan, any Error>).self) { group in
            for (number, options) in options.enumerated() {
                group.addTask { [dockerfile] in
                    do {
                        let plan = try await Frontend.lower(
                            dockerfile, options, resolver: resolver, log: logs[number])
                        return (number, .success(plan))
                    } catch { return (number, .failure(error)) }
                }
            }
            var results: [Int: Result<BuildPlan, any Error>] = [:]
            for await (number, result) in group {
                results[number] = result
                if case .failure = result { group.cancelAll() }
            }
            return options.indices.compactMap { results[$0] }
        }
        let failures = results.compactMap { result in if case .failure(let error) = result { error } else { nil } }
        if let failure = failures.first(where: { !($0 is CancellationError) }) ?? failures.first { throw failure }
        return try results.map { try $0.get() }.joined
    }
}
