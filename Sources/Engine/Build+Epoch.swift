import Contexts
import Diagnostics
import Frontend
import Images
import OCI
import Requests
import Store

extension Build {
    /// The options, in which the time of the build is a number if it is given at all.
    func options(for source: Definition, _ epoch: BuildEpoch) async throws -> BuildOptions {
        var options = request.options.named(source.name)
        let time = try EpochSource(source.dockerfile, options)
        if !time.isKnown { options.setEpoch(try await epoch.seconds(of: time)) }
        guard request.isReproducible else { return options }
        guard case .seconds(let seconds) = try EpochSource(source.dockerfile, options) else {
            options.setEpoch(try await timeOfContext(epoch))
            return options
        }
        // Nothing would be clamped to it.
        guard seconds <= Timestamp.now.seconds else {
            throw EngineError(
                .unsupported, "--reproducible needs a time that has passed, and SOURCE_DATE_EPOCH is \(seconds)",
                hint: "Use the time of the commit: git log -1 --format=%ct.")
        }
        return options
    }

    /// The time of the commit that the context is made from.
    private func timeOfContext(_ epoch: BuildEpoch) async throws -> Int64 {
        if let seconds = try await epoch.seconds(of: .context) { return seconds }
        return try await LocalCheckout(epoch.context.directory, environment: images.registry.environment).commitTime()
    }
}

extension BuildOptions {
    /// Makes a number of what was a name, for the build and for ARG alike; what has no time counts as not given.
    mutating func setEpoch(_ seconds: Int64?) {
        buildArguments.append((EpochSource.name, seconds.map { "\($0)" } ?? ""))
    }
}
