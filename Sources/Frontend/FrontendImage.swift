import Diagnostics
import DockerfileSyntax
import GoCompat
import OCI

/// The frontend a file asks for: with BuildKit, `# syntax=` names an image that reads the file.
///
/// Lamina reads Dockerfiles and nothing else, so it knows the images that read them too, and refuses all others: they
/// could give the file any meaning.
package enum FrontendImage {
    /// Throws ``FrontendError`` `.unsupported` if the file is for a frontend that does not read Dockerfiles.
    static func check(_ dockerfile: Dockerfile, _ options: BuildOptions) throws {
        if let name = options.buildArgument("BUILDKIT_SYNTAX"), !name.isEmpty {
            guard readsDockerfiles(name) else { throw refusal(name, at: nil) }
            return
        }
        guard let directive = dockerfile.directives.first(where: { $0.name == .syntax }) else { return }
        // Behind the name of the image are arguments for it.
        let name = String(directive.value.prefix { $0 != " " && $0 != "\t" })
        guard !readsDockerfiles(name) else { return }
        throw refusal(
            name, at: Diagnostics.SourceRange(file: options.fileName, lines: directive.line...directive.line))
    }

    /// The error for a text that cannot be parsed because it is for another frontend: one that says so in a comment of
    /// the form `// syntax=NAME`, or is a JSON object with the key `syntax`. `nil` for any other text.
    package static func refusal(of bytes: [UInt8], file: String) -> FrontendError? {
        let text = bytes.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        if text.first == UInt8(ascii: "{") {
            guard let name = (try? JSON(parsing: Array(text)))?["syntax"]?.string else { return nil }
            return refusal(name, at: Diagnostics.SourceRange(file: file, lines: 1...1))
        }
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let words = String(decoding: line, as: UTF8.self)
            guard words.hasPrefix("//") else { return nil }
            let parts = words.dropFirst(2).split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            guard parts.count == 2, parts[0].lowercased() == "syntax" else { continue }
            return refusal(
                String(parts[1].prefix { $0 != " " }),
                at: Diagnostics.SourceRange(file: file, lines: (index + 1)...(index + 1)))
        }
        return nil
    }

    /// Mirrors and forks keep the name: `docker/dockerfile:1`, `registry.example/docker/dockerfile-upstream:master`.
    private static func readsDockerfiles(_ name: String) -> Bool {
        if name == "dockerfile.v0" { return true }
        guard let reference = try? ImageReference(parsing: name) else { return false }
        return reference.repository.split(separator: "/").last?.hasPrefix("dockerfile") ?? false
    }

    private static func refusal(_ name: String, at location: Diagnostics.SourceRange?) -> FrontendError {
        FrontendError(
            .unsupported, "the file is for the frontend \(GoFormat.quoted(name)), which Lamina does not run",
            hint: "If it is a Dockerfile all the same, build with --build-arg BUILDKIT_SYNTAX=dockerfile.v0.",
            at: location)
    }
}
