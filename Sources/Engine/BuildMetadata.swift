import Attestations
import Caching
import Contexts
import Diagnostics
import Frontend
import Images
import Linux
package import OCI
import Requests
import Store
package import SystemPackage
import Trees

/// Reports of a finished build for programs, in files.
extension Build {
    /// The result under the keys of buildx's `--metadata-file`.
    ///
    /// The value of ``MetadataRequest`` decides over provenance and warnings. Digest and descriptor of a manifest are there only where the build has written or pushed one, or has made an
    /// index: a manifest that is in the store alone is seen by nobody else.
    package func metadata(of result: BuildResult) -> JSON {
        var members = JSONObject()
        guard let image = result.image else { return .object(members) }
        // An index has a config for each platform.
        if result.index == nil { members["containerimage.config.digest"] = .string(image.id.description) }
        if let manifest = result.manifest ?? result.index {
            members["containerimage.digest"] = .string(manifest.digest.description)
            members["containerimage.descriptor"] = manifest.json
        }
        if !request.names.isEmpty {
            members["image.name"] = .string(request.names.map(\.description).joined(separator: ","))
        }
        for (platform, predicate) in result.provenances {
            let key = "buildx.build.provenance"
            members[result.index == nil ? key : "\(key)/\(platform)"] = predicate
        }
        if request.metadata.hasWarnings, !result.warnings.isEmpty {
            members["buildx.build.warnings"] = .array(result.warnings.map { json(of: $0) })
        }
        return .object(members)
    }

    /// The provenance of each image as far as the metadata file has it.
    func provenancesForMetadata(_ provenances: [Provenance]) -> [(platform: Platform, predicate: JSON)] {
        guard request.metadata.hasProvenance else { return [] }
        return provenances.map { provenance in
            var provenance = provenance
            if let mode = request.metadata.provenanceMode { provenance.settings.mode = mode }
            return (provenance.platform, provenance.json)
        }
    }

    /// A warning as BuildKit's client has it, with bytes in Base64. Source: BuildKit, client/graph.go.
    private func json(of warning: Warning) -> JSON {
        func base64(_ text: String) -> JSON {
            .string(DockerfileSource(name: "", bytes: Array(text.utf8)).base64)
        }
        let file = warning.location.file
        let source = texts.bytes(of: file).map { DockerfileSource(name: file, bytes: $0) }
        func line(_ number: Int) -> JSON { .object(("line", .integer(number))) }
        let lines = warning.location.lines
        return .object(
            ("level", .integer(1)), ("short", base64(warning.summary)),
            ("detail", .array([base64(warning.detail)])), ("url", warning.url.map { .string($0) }),
            (
                "sourceInfo",
                source.map {
                    .object(
                        ("filename", .string($0.name)), ("data", .string($0.base64)),
                        ("language", .string("Dockerfile")))
                }
            ),
            ("range", .array([.object(("start", line(lines.lowerBound)), ("end", line(lines.upperBound)))])))
    }

    /// The names of the image with the digest of its manifest, a line each, as kaniko writes them; `nil` without one.
    package func names(of result: BuildResult, withTags: Bool) -> String? {
        guard let digest = result.manifest?.digest else { return nil }
        return request.tags.map { name in
            "\(name.name)\(withTags ? name.tag.map { ":\($0)" } ?? "" : "")@\(digest)\n"
        }.joined()
    }

    /// Writes a file in place of what is there, so that a reader sees all of it or none.
    package static func write(_ text: String, to path: FilePath) async throws {
        try await offload { try FileSystem.write(Array(text.utf8), to: path) }
    }
}
