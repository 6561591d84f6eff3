import Contexts
import Frontend
import Requests

extension Build {
    /// The options, in which the time of the build is a number if it is given at all.
    func options(for source: Definition, _ epoch: BuildEpoch) async throws -> BuildOptions {
        var options = request.options.named(source.name)
        let time = try EpochSource(source.dockerfile, options)
        if !time.isKnown { options.setEpoch(try await epoch.seconds(of: time)) }
        return options
    }
}

extension BuildOptions {
    /// Makes a number of what was a name, for the build and for ARG alike; what has no time counts as not given.
    mutating func setEpoch(_ seconds: Int64?) {
        buildArguments.append((EpochSource.name, seconds.map { "\($0)" } ?? ""))
    }
}
