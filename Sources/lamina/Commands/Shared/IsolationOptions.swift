import ArgumentParser
import Diagnostics
import Engine
import Requests

/// How the commands of RUN are kept apart from the machine.
struct IsolationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How commands are isolated: auto, namespaces, rootless or chroot (LAMINA_ISOLATION).", valueName: "mode"))
    var isolation: String?

    /// The mode that was asked for; `nil` for `auto`.
    ///
    /// Throws `RequestsError` `.badIsolation` for any other word.
    func mode() throws -> Isolation? {
        let name = isolation ?? GlobalOptions.environment["LAMINA_ISOLATION"] ?? "auto"
        if name == "auto" || name.isEmpty { return nil }
        guard let mode = Isolation(rawValue: name) else {
            throw RequestsError(
                .badIsolation, "unknown isolation '\(name)'", hint: "Use auto, namespaces, rootless or chroot.")
        }
        return mode
    }
}
