import Diagnostics
import DockerfileSyntax
package import Linux

/// Settings by the user for all commands of a build, whatever the Dockerfile says.
package struct StepSettings: Sendable {
    /// How long a command may run; `nil` for as long as it likes.
    package var timeLimit: TimeLimit?
    package var network = NetworkSettings()
    /// Mounted for every command; no part of any cache key.
    package var volumes = VolumeSettings()
    /// Paths relative to the root whose changes, and those below them, RUN leaves out of its layer.
    package var ignoredPaths: [PathBytes] = []
    /// Whether commands read the standard input of this process.
    package var passesInput = false
    /// Whether a shell opens in the sandbox of a command that has failed, before the build fails.
    package var opensShellOnFailure = false

    package init() {}
}

/// How long a command may run.
package struct TimeLimit: Hashable, Sendable {
    package let duration: Duration
    /// As the user wrote it.
    package let text: String

    /// Parses a duration such as `30s`, `1h30m` or `1.5m`.
    ///
    /// Throws ``RequestsError`` `.badTimeLimit`.
    package init(parsing text: String) throws {
        let nanoseconds: Int64
        do { nanoseconds = try GoDuration.nanoseconds(text) } catch {
            throw RequestsError(.badTimeLimit, "'\(text)' of --timeout is no duration", hint: "Write it as 30s or 10m.")
        }
        guard nanoseconds > 0 else { throw RequestsError(.badTimeLimit, "--timeout must be more than 0") }
        duration = .nanoseconds(nanoseconds)
        self.text = text
    }
}
