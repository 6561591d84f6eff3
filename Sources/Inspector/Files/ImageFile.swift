import Diagnostics
import Layers
import Linux
package import OCI
package import SystemPackage

/// An image in an archive or a directory of this machine, which is read in one pass and copied nowhere.
///
/// Source: OCI image-spec, image-layout.md; Docker's image specification 1.2.
package struct ImageFile: Hashable, Sendable {
    /// An archive of Docker's or an OCI layout in an archive, compressed or not, or a directory that is an OCI layout.
    package let path: FilePath
    /// The name of the image among several: a tag, or a name with a tag.
    package let tag: String?

    package init(_ path: FilePath, tag: String? = nil) {
        self.path = path
        self.tag = tag
    }

    /// Throws ``InspectorError`` `.badImageFile` when there is no image, or not the one that is wanted.
    package func inspect(platform: Platform) throws -> InspectedImage {
        do {
            let isDirectory = try FileStatus(of: path).type == .directory
            return try inspect(isDirectory ? LayoutMembers(path: path) : try ArchiveMembers(path), platform)
        } catch let error as any AnyFailure where !(error is LinuxError) {
            throw InspectorError(
                .badImageFile, "'\(path)' cannot be analysed: \(error.message)", hint: error.hint, cause: error)
        }
    }

    private func inspect(_ members: any ImageMembers, _ platform: Platform) throws -> InspectedImage {
        let (configBytes, layers) = try documents(members, platform)
        let config = try ImageConfig(parsing: configBytes)
        guard config.diffIDs.count == layers.count else {
            throw InspectorError(
                .badImageFile, "it has \(layers.count) layers for an image of \(config.diffIDs.count)",
                hint: "The image is damaged: make it again.")
        }
        let commands = ImageHistory.commands(of: config)
        let inputs = try layers.indices.map { index in
            let summary = try members.summary(layers[index])
            guard summary.diffID == config.diffIDs[index] else {
                throw InspectorError(
                    .badImageFile, "layer '\(layers[index])' is \(summary.diffID), and not \(config.diffIDs[index])",
                    hint: "The image is damaged: make it again.")
            }
            return AnalyzedLayerInput(
                diffID: summary.diffID, fileList: summary.fileList, createdBy: commands[index],
                blobSize: try members.size(layers[index]))
        }
        return InspectedImage(
            config: config, layers: inputs, contents: MemberContents(members: members, layers: layers))
    }

    /// The config of the image and the names of its layers.
    private func documents(
        _ members: any ImageMembers, _ platform: Platform
    ) throws -> (config: [UInt8], layers: [String]) {
        if let bytes = try members.document("manifest.json") { return try dockerArchive(members, bytes) }
        guard let bytes = try members.document("index.json") else {
            throw InspectorError(
                .badImageFile, "it is neither a Docker archive nor an OCI layout",
                hint: "Save the image with 'lamina save', 'docker save' or 'skopeo copy'.")
        }
        var chosen = try self.chosen(try Index(parsing: bytes), platform)
        for _ in 0..<4 {
            let bytes = try blob(chosen, members)
            guard chosen.mediaType.isIndex else {
                let manifest = try Manifest(parsing: bytes, declared: chosen.mediaType)
                return (try blob(manifest.config, members), manifest.layers.map { Self.path(of: $0.digest) })
            }
            chosen = try Index(parsing: bytes, declared: chosen.mediaType).manifest(for: platform)
        }
        throw InspectorError(.badImageFile, "its indexes are nested more than 4 deep")
    }

    private func chosen(_ index: Index, _ platform: Platform) throws -> Descriptor {
        guard let tag else {
            // Several names of one image are no choice.
            if let first = index.manifests.first, index.manifests.allSatisfy({ $0.digest == first.digest }) {
                return first
            }
            return try index.manifest(for: platform)
        }
        let found = index.manifests.first { entry in
            let name = entry.annotations["org.opencontainers.image.ref.name"] ?? ""
            return name == tag || name.hasSuffix(":\(tag)")
                || entry.annotations["io.containerd.image.name"].map { $0 == tag || $0.hasSuffix(":\(tag)") } ?? false
        }
        guard let found else { throw InspectorError(.badImageFile, "it has no image '\(tag)'") }
        return found
    }

    private func dockerArchive(_ members: any ImageMembers, _ bytes: [UInt8]) throws -> (
        config: [UInt8], layers: [String]
    ) {
        let items = try JSON(parsing: bytes).array ?? []
        let found = items.first { item in
            guard let tag else { return true }
            return (item["RepoTags"]?.strings ?? []).contains { $0 == tag || $0.hasSuffix(":\(tag)") }
        }
        guard let item = found, let config = item["Config"]?.string, let layers = item["Layers"]?.strings else {
            throw InspectorError(
                .badImageFile, tag.map { "it has no image '\($0)'" } ?? "its manifest.json names no image")
        }
        return (try members.require(config), layers)
    }

    private static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    private func blob(_ descriptor: Descriptor, _ members: any ImageMembers) throws -> [UInt8] {
        let bytes = try members.require(Self.path(of: descriptor.digest))
        guard Digest(of: bytes) == descriptor.digest else {
            throw InspectorError(.badImageFile, "the blob \(descriptor.digest) is really \(Digest(of: bytes))")
        }
        return bytes
    }
}
