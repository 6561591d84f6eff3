import ArgumentParser
import Diagnostics
import DockerfileSyntax
import Engine
import Frontend
import Requests
import SystemPackage

/// The parts of the cache and the store that a build may use.
struct CacheUseOptions: ParsableArguments {
    @Flag(name: .customLong("no-cache"), help: "Run every step, whatever is known.")
    var noCache = false

    @Option(
        name: .customLong("no-cache-filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Run every step of these stages; may be repeated.", valueName: "stage,…"))
    var noCacheFilter: [String] = []

    @Option(
        help: ArgumentHelp(
            "When to ask registries for base images: always (also --pull alone), missing, never or newer.",
            valueName: "when"))
    var pull: String?

    @Option(
        help: ArgumentHelp(
            "Start from the base images whose digests this file has, and add those that it has not.",
            valueName: "file"))
    var lock: String?

    @Option(
        name: .customLong("cache-ttl"), parsing: .unconditional,
        help: ArgumentHelp("Run steps again that last ran so long ago, e.g. 24h.", valueName: "duration"))
    var cacheLifetime: String?

    @Flag(
        name: .customLong("skip-unused-stages"), inversion: .prefixedNo,
        help: "Build only the stages that the target needs.")
    var skipsUnusedStages = true

    func noCacheChoice() throws -> NoCache {
        let stages = noCacheFilter.flatMap { $0.split(separator: ",").map(String.init) }
        guard stages.isEmpty || !noCache else {
            throw ValidationError("--no-cache and --no-cache-filter cannot currently be used together")
        }
        // A lifetime of nothing leaves nothing to be found.
        if try noCache || lifetime() == 0 { return .all }
        return stages.isEmpty ? .none : .stages(stages)
    }

    func freshness() throws -> Freshness {
        var freshness = Freshness()
        freshness.pull = try PullPolicy(option: pull)
        if let lock {
            guard !lock.isEmpty else { throw ValidationError("--lock needs the name of a file") }
            freshness.lock = FilePath(lock)
        }
        freshness.cacheLifetime = try lifetime()
        return freshness
    }

    private func lifetime() throws -> Int64? {
        guard let cacheLifetime else { return nil }
        let nanoseconds: Int64
        do { nanoseconds = try GoDuration.nanoseconds(cacheLifetime) } catch {
            throw ValidationError("--cache-ttl: \(error.message)")
        }
        guard nanoseconds >= 0 else { throw ValidationError("--cache-ttl cannot be negative") }
        return nanoseconds
    }
}
