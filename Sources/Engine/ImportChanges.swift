import Diagnostics
import DockerfileSyntax
import Frontend
package import OCI

/// The instructions of a Dockerfile that `lamina import` applies to the image it makes.
package enum ImportChanges {
    private static let allowed: Set<String> = [
        "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "SHELL", "STOPSIGNAL", "USER",
        "VOLUME", "WORKDIR",
    ]

    /// The config of an image without files to which the instructions were applied, one in each text.
    ///
    /// Throws ``EngineError`` `.unsupported` for an instruction that makes files, and the errors of Dockerfiles.
    package static func config(_ changes: [String], platform: Platform) async throws -> RunConfig {
        for change in changes {
            let word = change.drop { $0 == " " || $0 == "\t" }.prefix { !$0.isWhitespace }.uppercased()
            guard allowed.contains(word), !change.contains(where: \.isNewline) else {
                throw EngineError(
                    .unsupported, "'\(change)' is no change that import can make",
                    hint: "Use one of \(allowed.sorted().joined(separator: ", ")) for each --change.")
            }
        }
        let start = try await config(of: "FROM scratch\n", platform)
        var config = try await config(of: (["FROM scratch"] + changes).joined(separator: "\n") + "\n", platform)
        // The search path and the working directory that a build begins with are no changes.
        config.environment.removeAll { start.environment.contains($0) }
        if config.workingDirectory == start.workingDirectory { config.workingDirectory = "" }
        config.argumentsEscaped = false
        return config
    }

    private static func config(of text: String, _ platform: Platform) async throws -> RunConfig {
        let dockerfile = try Dockerfile(parsing: Array(text.utf8))
        let options = BuildOptions(platform: platform, fileName: "--change")
        return try await lower(dockerfile, options, resolver: NoBases()).config.config
    }
}

/// The bases of a Dockerfile that has none.
private struct NoBases: BaseImageResolver {
    func resolve(_ reference: ImageReference, platform: Platform) async throws -> ResolvedBase {
        throw EngineError(.imageNotFound, "there is no base image \(reference)")
    }

    func resolve(layout context: String, platform: Platform) async throws -> ResolvedBase {
        throw EngineError(.imageNotFound, "there is no layout \(context)")
    }
}
