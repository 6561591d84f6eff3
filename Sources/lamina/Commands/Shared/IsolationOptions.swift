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

    /// The mode that was asked for, also in Docker's and Buildah's words; `nil` for `auto`.
    ///
    /// Throws `RequestsError` `.badIsolation` for any other word.
    func mode() throws -> Isolation? {
        let variables = ["LAMINA_ISOLATION", "BUILDAH_ISOLATION"]
        let name = isolation ?? variables.lazy.compactMap { GlobalOptions.environment[$0] }.first { !$0.isEmpty }
        // Docker's default, and Buildah's: what the machine offers.
        guard let name, !["auto", "default", "oci", ""].contains(name) else { return nil }
        guard let mode = Isolation(rawValue: name) else {
            throw RequestsError(
                .badIsolation, "unknown isolation '\(name)'", hint: "Use auto, namespaces, rootless or chroot.")
        }
        return mode
    }
}
