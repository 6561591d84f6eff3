import Diagnostics
import DockerfileSyntax
import Frontend
import Graph
package import OCI

/// The instructions of a Dockerfile that `lamina import` and `lamina commit` apply to the image they make.
package enum ImportChanges {
    private static let allowed: Set<String> = [
        "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "SHELL", "STOPSIGNAL", "USER",
        "VOLUME", "WORKDIR",
    ]

    /// The config of an image to which the instructions were applied, one in each text.
    ///
    /// Throws ``EngineError`` `.unsupported` for an instruction that makes files, and the errors of Dockerfiles.
    package static func applied(_ changes: [String], to image: ImageConfig) async throws -> RunConfig {
        guard !changes.isEmpty else { return image.config }
        try check(changes, by: "commit")
        let text = (["FROM image"] + changes).joined(separator: "\n") + "\n"
        // The image's own ONBUILD is for those who build on it.
        var base = image
        base.config.onBuild = []
        var config = try await config(of: text, image.platform, OneBase(config: base))
        config.onBuild = image.config.onBuild + config.onBuild
        config.argumentsEscaped = image.config.argumentsEscaped
        return config
    }

    private static func check(_ changes: [String], by command: String) throws {
        for change in changes {
            let word = change.drop { $0 == " " || $0 == "\t" }.prefix { !$0.isWhitespace }.uppercased()
            guard allowed.contains(word), !change.contains(where: \.isNewline) else {
                throw EngineError(
                    .unsupported, "'\(change)' is no change that \(command) can make",
                    hint: "Use one of \(allowed.sorted().joined(separator: ", ")) for each --change.")
            }
        }
    }

    /// The config of an image without files to which the instructions were applied, one in each text.
    ///
    /// Throws ``EngineError`` `.unsupported` for an instruction that makes files, and the errors of Dockerfiles.
    package static func config(_ changes: [String], platform: Platform) async throws -> RunConfig {
        try check(changes, by: "import")
        let start = try await config(of: "FROM scratch\n", platform)
        var config = try await config(of: (["FROM scratch"] + changes).joined(separator: "\n") + "\n", platform)
        // The search path and the working directory that a build begins with are no changes.
        config.environment.removeAll { start.environment.contains($0) }
        if config.workingDirectory == start.workingDirectory { config.workingDirectory = "" }
        config.argumentsEscaped = false
        return config
    }

    private static func config(
        of text: String, _ platform: Platform, _ resolver: some BaseImageResolver = NoBases()
    ) async throws -> RunConfig {
        let dockerfile = try Dockerfile(parsing: Array(text.utf8))
        let options = BuildOptions(platform: platform, fileName: "--change")
        return try await lower(dockerfile, options, resolver: resolver).config.config
    }
}

/// The bases of a Dockerfile that has none.
private struct NoBases: BaseImageResolver {
    func resolve(_ name: ImageName, platform: Platform) async throws -> ResolvedBase {
        throw EngineError(.imageNotFound, "there is no base image \(name.reference)")
    }

    func resolve(layout context: String, platform: Platform) async throws -> ResolvedBase {
        throw EngineError(.imageNotFound, "there is no layout \(context)")
    }
}

/// The base of a Dockerfile that changes the config of an image.
private struct OneBase: BaseImageResolver {
    let config: ImageConfig

    func resolve(_ name: ImageName, platform: Platform) async throws -> ResolvedBase {
        let source = ImageSource(
            reference: name.reference, platform: platform, diffIDs: config.diffIDs, imageID: Digest(of: config.encoded))
        return ResolvedBase(source: source, config: config)
    }

    func resolve(layout context: String, platform: Platform) async throws -> ResolvedBase {
        throw EngineError(.imageNotFound, "there is no layout \(context)")
    }
}
