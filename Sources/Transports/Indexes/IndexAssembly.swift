import Diagnostics
package import OCI

/// A choice of entries of an index.
package enum IndexSelection: Hashable, Sendable, CustomStringConvertible {
    case digest(Digest)
    case platform(Platform)

    /// Parses a digest or a platform; `nil` for anything else.
    package init?(_ text: String) {
        if let digest = try? Digest(parsing: text) {
            self = .digest(digest)
        } else if text.contains("/"), let platform = try? Platform(parsing: text) {
            self = .platform(platform)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .digest(let digest): digest.description
        case .platform(let platform): platform.description
        }
    }

    func matches(_ entry: IndexDocument.Entry) -> Bool {
        switch self {
        case .digest(let digest): entry.descriptor.digest == digest
        case .platform(let platform): entry.platform == platform && !entry.isAttestation
        }
    }
}

/// An index that is put together from images at several places, or changed.
///
/// Entries of indexes are taken over as they are, with what is attested of them.
package struct IndexAssembly: Sendable {
    package private(set) var index = IndexDocument()
    /// The reader of each entry.
    private var readers: [Digest: any ImageReader] = [:]

    package init() {}

    /// The platforms that the images of the index are for, in order.
    package var platforms: [Platform] { index.entries.filter { !$0.isAttestation }.compactMap(\.platform) }

    /// Begins with the index at a place, or with an index of the one image there.
    package mutating func begin(with reader: any ImageReader) async throws {
        let root = try await reader.root()
        guard root.isIndex else { return try await add(reader) }
        index = try IndexDocument(parsing: root.bytes)
        for entry in index.entries { readers[entry.descriptor.digest] = reader }
    }

    /// Adds an image, or all images of an index. An image that is there already stays where it is.
    ///
    /// - Throws: ``TransportsError`` `.noPlatform` when another image is for the same platform, which would be lost to
    ///   those who look for it; with `replaces` the new one takes its place.
    package mutating func add(_ reader: any ImageReader, replaces: Bool = false) async throws {
        let root = try await reader.root()
        var entries: [IndexDocument.Entry]
        if root.isIndex {
            let other = try IndexDocument(parsing: root.bytes)
            entries = other.entries
            for (key, value) in other.annotations where index.annotations[key] == nil { index.annotations[key] = value }
        } else {
            entries = [try await Self.entry(root, reader)]
        }
        entries.removeAll { entry in index.entries.contains { $0.descriptor.digest == entry.descriptor.digest } }
        for entry in entries where !entry.isAttestation {
            guard let platform = entry.platform else { continue }
            let others = index.entries.filter { $0.platform == platform && !$0.isAttestation }
            guard let other = others.first else { continue }
            guard replaces else {
                throw TransportsError(
                    .noPlatform,
                    "two images are for \(platform): \(other.descriptor.digest) and \(entry.descriptor.digest)",
                    hint: "Leave one out; 'lamina index add --replace' puts the new one in the place of the old one.")
            }
            remove { others.contains($0) }
        }
        index.entries += entries
        for entry in entries { readers[entry.descriptor.digest] = reader }
        updateType()
    }

    /// The entry for an image that no index names, with the platform that its config says.
    private static func entry(_ root: ImageDocument, _ reader: any ImageReader) async throws -> IndexDocument.Entry {
        let manifest = try root.manifest()
        let sink = MemorySink(limit: BlobTree.documentLimit)
        try await reader.copy(manifest.config, into: sink) { _ in }
        let json = try JSON(parsing: sink.bytes)
        guard json["os"]?.string != nil, json["architecture"]?.string != nil else {
            throw TransportsError(
                .unsupported, "\(root.descriptor.digest) is no image of a container: its config names no platform",
                hint: "Name images only.")
        }
        var entry = IndexDocument.Entry(root.bare)
        entry.setPlatform(
            ["architecture", "os", "os.version", "os.features", "variant"].compactMap { key in
                guard let value = json[key], value != .null, value != .string("") else { return nil }
                return (key, value)
            })
        return entry
    }

    /// Removes the entries of a choice, and what is attested of them.
    ///
    /// - Throws: ``TransportsError`` `.imageNotFound` when there are none.
    package mutating func remove(_ selection: IndexSelection) throws {
        _ = try places(of: selection)
        remove { selection.matches($0) }
        updateType()
    }

    private mutating func remove(_ isChosen: (IndexDocument.Entry) -> Bool) {
        let gone = Set(index.entries.filter(isChosen).map(\.descriptor.digest))
        index.entries.removeAll { entry in
            gone.contains(entry.descriptor.digest) || entry.subject.map(gone.contains) ?? false
        }
    }

    /// Changes what the index says about the entries of a choice.
    ///
    /// - Throws: ``TransportsError`` `.imageNotFound` when there are none.
    package mutating func change(
        _ selection: IndexSelection, annotations: [(String, String)], platform: [(String, JSON)]
    ) throws {
        for place in try places(of: selection) {
            for (key, value) in annotations { index.entries[place].setAnnotation(key, value) }
            if !platform.isEmpty { index.entries[place].setPlatform(platform) }
        }
    }

    /// Sets annotations of the index itself.
    package mutating func annotate(_ annotations: [(String, String)]) {
        for (key, value) in annotations { index.annotations[key] = value }
        updateType()
    }

    private func places(of selection: IndexSelection) throws -> [Int] {
        let found = index.entries.indices.filter { selection.matches(index.entries[$0]) }
        guard found.isEmpty else { return found }
        let there = platforms.map(\.description).joined(separator: ", ")
        throw TransportsError(
            .imageNotFound, "the index has no manifest \(selection)",
            hint: there.isEmpty ? "It is empty." : "It has images for \(there).")
    }

    /// Docker's type for an index of manifests of that type alone, without annotations, which it does not have.
    private mutating func updateType() {
        let isDocker =
            !index.entries.isEmpty && index.entries.allSatisfy { $0.descriptor.mediaType == .dockerManifest }
            && index.annotations.isEmpty
        index.mediaType = isDocker ? .dockerIndex : .ociIndex
    }

    /// Throws when an index would lose platforms that the one at its place has.
    package func check(against former: ImageDocument) throws {
        guard former.isIndex else { return }
        let new = Set(platforms)
        let old = try IndexDocument(parsing: former.bytes)
        let lost = old.entries.filter { !$0.isAttestation }.compactMap(\.platform).filter { !new.contains($0) }
        guard lost.isEmpty else {
            throw TransportsError(
                .noPlatform,
                "the index that is there has \(lost.map(\.description).joined(separator: ", ")) as well, "
                    + "which would be lost",
                hint: "Use --append to keep what is there, or --force to replace it.")
        }
    }

    /// The index as an image to copy.
    ///
    /// - Throws: ``TransportsError`` `.imageNotFound` when it is empty.
    package func reader() throws -> any ImageReader {
        guard !index.entries.isEmpty else {
            throw TransportsError(.imageNotFound, "the index would be empty", hint: "Name an image to put into it.")
        }
        return AssembledIndex(index, readers)
    }
}
