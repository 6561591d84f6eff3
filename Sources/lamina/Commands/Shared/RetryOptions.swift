import ArgumentParser
import DockerfileSyntax

/// How patiently registries and servers are asked again.
struct RetryOptions: ParsableArguments {
    /// A duration as Go writes it, such as `2s` or `1.5m`.
    struct Pause: ExpressibleByArgument, Hashable {
        let duration: Duration

        init?(argument: String) {
            guard let nanoseconds = try? GoDuration.nanoseconds(argument), nanoseconds >= 0 else { return nil }
            duration = .nanoseconds(nanoseconds)
        }
    }

    @Option(help: ArgumentHelp("How often a failed request is repeated (default: 3).", valueName: "n"))
    var retry: Int?

    @Option(
        name: .customLong("retry-delay"),
        help: ArgumentHelp("The pause before the first repetition, doubled each time, e.g. 2s.", valueName: "duration"))
    var pause: Pause?

    var delay: Duration? { pause?.duration }

    func validate() throws {
        guard retry.map({ (0...1000).contains($0) }) ?? true else {
            throw ValidationError("--retry takes a number from 0 to 1000")
        }
    }
}
