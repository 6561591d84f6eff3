import Requests
import ArgumentParser
import Diagnostics
import Engine

/// How the commands of RUN are kept apart from the machine.
struct IsolationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How commands are isolated: auto, namespaces, rootless or chroot (LAMINA_ISOLATION).", valueName: "mode"))
    var isolation: String?

    /// The mode that was asked for; `nil` for `auto`.
    ///
    /// Throws `EngineError` `.badIsolation` for any other word.
    func mode() throws -> Isolation? {
        let name = isolation ?? GlobalOptions.environment["LAMINA_ISOLATION"] ?? "auto"
        if name == "auto" || name.isEmpty { return nil }
        guard let mode = Isolation(rawValue: name) else {
            throw EngineError(
                .badIsolation, "unknown isolation '\(name)'", hint: "Use auto, namespaces, rootless or chroot.")
        }
        return mode
    }
}
