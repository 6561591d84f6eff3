import Diagnostics
import Linux
package import OCI

/// The images in an archive or a directory, by what its documents say.
///
/// Source: OCI image-spec, image-layout.md; Docker's image specification 1.2, "Combined Image JSON + Filesystem
/// Changeset Format".
package struct FileImages: Sendable {
    /// One image, with all names that it has there.
    package struct Item: Sendable {
        enum Content: Sendable {
            /// The root, below which documents are blobs of a layout.
            case layout(Descriptor)
            /// The names of the files of a config and of layers.
            case docker(config: String, layers: [String])
        }

        let content: Content
        /// The names as they stand there: whole names, or tags.
        package fileprivate(set) var labels: [String] = []
        /// The names of these that name a repository.
        package fileprivate(set) var names: [ImageReference] = []

        fileprivate var digest: Digest? {
            guard case .layout(let root) = content else { return nil }
            return root.digest
        }
    }

    package let files: any ImageFiles
    package let items: [Item]

    /// Reads the documents. Throws ``TransportsError`` `.badArchive` when there are no images.
    package init(_ files: any ImageFiles) throws {
        self.files = files
        do { items = try Self.items(of: files) } catch let error as any AnyFailure
            where !(error is TransportsError || error is LinuxError)
        {
            throw TransportsError(
                .badArchive, "the documents of \(files.place) cannot be read: \(error.message)", hint: error.hint,
                cause: error)
        }
        guard !items.isEmpty else { throw TransportsError(.badArchive, "\(files.place) holds no image") }
    }

    private static func items(of files: any ImageFiles) throws -> [Item] {
        if try files.size(of: "oci-layout") != nil || files.size(of: "manifest.json") == nil,
            let index = try files.document("index.json")
        {
            return layoutItems(try IndexDocument(parsing: index))
        }
        if let manifest = try files.document("manifest.json") {
            return try dockerItems(JSON(parsing: manifest))
        }
        if files.isOldDockerArchive {
            throw TransportsError(
                .badArchive,
                "the archive was saved by a Docker older than 1.10, whose images have no manifest.json",
                hint: "Load it with a current Docker, and save it again from there.")
        }
        throw TransportsError(
            .badArchive, "\(files.place) is neither a Docker archive nor an OCI layout",
            hint: "To make a base image of a root file system, use 'lamina import'.")
    }

    private static func layoutItems(_ index: IndexDocument) -> [Item] {
        // One image may stand there once for each of its names.
        var items: [Item] = []
        var places: [Digest: Int] = [:]
        let isImage: (IndexDocument.Entry) -> Bool = { entry in
            // What refers to an image stands there without a name.
            entry.descriptor.annotations["vnd.docker.reference.type"] != "attestation-manifest"
                && (entry.artifactType == nil || entry.descriptor.annotations[LayoutDirectory.tagAnnotation] != nil)
        }
        for entry in index.entries.filter(isImage).map(\.descriptor) {
            let place = places[entry.digest] ?? items.count
            if place == items.count { items.append(Item(content: .layout(entry))) }
            places[entry.digest] = place
            let full = entry.annotations["io.containerd.image.name"]
            let label = entry.annotations[LayoutDirectory.tagAnnotation]
            for text in [full, label].compactMap(\.self) where !items[place].labels.contains(text) {
                items[place].labels.append(text)
            }
            // containerd's annotation has the full name; the standard one may have only a tag, which is no name.
            let named = full ?? label.flatMap { text in text.contains { "/:".contains($0) } ? text : nil }
            if let name = named.flatMap({ try? ImageReference(parsing: $0) }), !items[place].names.contains(name) {
                items[place].names.append(name)
            }
        }
        return items
    }

    private static func dockerItems(_ json: JSON) throws -> [Item] {
        try (json.array ?? []).map { item in
            guard let config = item["Config"]?.string, let list = item.list("Layers"),
                let layers = JSON.array(list).strings
            else {
                throw TransportsError(.badArchive, "manifest.json of the archive names no config or no layers")
            }
            let labels = item["RepoTags"]?.strings ?? []
            let names = try labels.map { try ImageReference(parsing: $0) }
            return Item(content: .docker(config: config, layers: layers), labels: labels, names: names)
        }
    }

    // MARK: Choice

    /// The image that is meant. Throws ``TransportsError`` `.imageNotFound`, with the names that are there.
    package func item(_ selector: ImageSelector) throws -> Item {
        let found: [Item] =
            switch selector {
            case .only: items
            case .index(let index): items.indices.contains(index) ? [items[index]] : []
            case .digest(let digest): items.filter { $0.digest == digest }
            case .name(let name): named(name)
            }
        if let only = found.first, found.count == 1 { return only }
        let labels = items.compactMap(\.labels.first).prefix(20).joined(separator: ", ")
        guard found.isEmpty else {
            throw TransportsError(
                .imageNotFound, "\(files.place) holds \(found.count) images to choose from: \(labels)",
                hint: "Write the name of one after the path and a colon, or :@0 for the first one.")
        }
        throw TransportsError(
            .imageNotFound, "\(files.place) holds no image '\(String(selector.description.dropFirst()))'",
            hint: labels.isEmpty ? "Its images have no names: leave the name out." : "It holds: \(labels).")
    }

    /// The images of a name: the one that has exactly this label, else those that a user may mean by it.
    private func named(_ name: String) -> [Item] {
        let exact = items.filter { $0.labels.contains(name) }
        if !exact.isEmpty { return exact }
        if let reference = try? ImageReference(parsing: name) {
            let meant = items.filter { $0.names.contains(reference) }
            if !meant.isEmpty { return meant }
        }
        return items.filter { item in item.names.contains { $0.tag == name } }
    }

    /// A reader of the image with a digest, whether the index of the layout names it or not.
    ///
    /// Throws ``TransportsError`` `.imageNotFound`.
    package func reader(_ digest: Digest) throws -> FileImageReader {
        if let item = items.first(where: { $0.digest == digest }) { return try reader(item) }
        guard let bytes = try files.document(ArchiveOutput.path(of: digest)) else {
            return try reader(try item(.digest(digest)))
        }
        let document = try ImageDocument(parsing: bytes)
        let root = Descriptor(
            mediaType: document.descriptor.mediaType, digest: digest, size: document.descriptor.size)
        return try reader(Item(content: .layout(root)))
    }

    /// A reader of an image.
    package func reader(_ item: Item) throws -> FileImageReader { try FileImageReader(item, in: files) }
}
