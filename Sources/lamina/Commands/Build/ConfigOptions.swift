import ArgumentParser
import Frontend

/// Changes of the image that the Dockerfile does not make, as Buildah has them.
struct ConfigOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The image to start from in place of the first FROM's.", valueName: "image"))
    var from: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Set a variable of the image, which no step sees; K alone takes the value from the environment.",
            valueName: "K[=V]"))
    var env: [String] = []

    @Option(
        name: .customLong("unsetenv"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Remove a variable from the image.", valueName: "name"))
    var removedVariables: [String] = []

    @Option(
        name: .customLong("unsetlabel"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Do not take a label from the base image.", valueName: "name"))
    var removedLabels: [String] = []

    @Flag(
        name: .customLong("inherit-labels"), inversion: .prefixedNo, help: "Take labels from the base image.")
    var inheritsLabels = true

    @Flag(name: .customLong("omit-history"), help: "Leave out of the image's config how it was made.")
    var omitsHistory = false

    var base: String? { from.flatMap { $0.isEmpty ? nil : $0 } }

    /// Throws a `ValidationError` for a variable without a name.
    func changes() throws -> ConfigChanges {
        var changes = ConfigChanges()
        for text in env {
            let (name, value) = KeyValue.pair(text)
            guard !name.isEmpty else { throw ValidationError("--env needs a name before the equals sign") }
            // A variable that is not there is left out, as with docker run.
            guard let value = value ?? GlobalOptions.environment[name] else { continue }
            changes.variables.append((name, value))
        }
        changes.removedVariables = removedVariables
        changes.removedLabels = removedLabels
        changes.inheritsLabels = inheritsLabels
        changes.omitsHistory = omitsHistory
        return changes
    }
}
