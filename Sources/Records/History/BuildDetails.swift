package import OCI

/// The parts of a build record besides its summary.
package struct BuildDetails: Hashable, Sendable {
    /// The absolute path of the context.
    package var context = ""
    /// The absolute path of the Dockerfile.
    package var dockerfile = ""
    /// The digest of the Dockerfile's text.
    package var dockerfileDigest: Digest?
    package var platform = ""
    /// `NAME=value` as given, without the values of secrets and without logins.
    package var arguments: [String] = []
    /// Whether all steps had to run (`--no-cache`).
    package var ignoresCache = false
    /// The version of the program.
    package var version = ""
    /// Vertices first, inputs before their users; then chores.
    package var steps: [RecordedStep] = []

    package init() {}

    package var work: [RecordedStep] { steps.filter(\.kind.isWork) }
}

extension BuildDetails {
    package var encoded: String {
        JSON.object(
            ("context", .string(context)), ("dockerfile", .string(dockerfile)),
            ("dockerfileDigest", dockerfileDigest.map { .string($0.description) }), ("platform", .string(platform)),
            ("arguments", .array(arguments.map { .string($0) })), ("noCache", .bool(ignoresCache)),
            ("version", .string(version)), ("steps", .array(steps.map(\.json)))
        ).text()
    }

    /// Reads what ``encoded`` gives; `nil` for anything else.
    package init?(decoding text: String) {
        guard let json = try? JSON(parsing: text), let steps = json["steps"]?.array else { return nil }
        context = json["context"]?.string ?? ""
        dockerfile = json["dockerfile"]?.string ?? ""
        dockerfileDigest = json["dockerfileDigest"]?.string.flatMap { try? Digest(parsing: $0) }
        platform = json["platform"]?.string ?? ""
        arguments = json["arguments"]?.strings ?? []
        ignoresCache = json["noCache"]?.bool ?? false
        version = json["version"]?.string ?? ""
        self.steps = steps.compactMap(RecordedStep.init)
        // A position that leads nowhere must not be followed.
        guard self.steps.count == steps.count,
            self.steps.allSatisfy({ step in step.inputs.allSatisfy(steps.indices.contains) })
        else { return nil }
    }
}
