import Caching
import Contexts
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
    /// Digest and descriptor of a manifest are there only where the build has written or pushed one, or has made an
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
        return .object(members)
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
