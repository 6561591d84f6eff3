import Diagnostics

/// An index that can be changed while all of it that is not understood stays as it is.
///
/// ``Index`` reads the members that this program knows; written again it would lose the others.
package struct IndexDocument: Hashable, Sendable {
    private var object: JSONObject
    package var entries: [Entry]

    /// An index without manifests.
    package init(mediaType: MediaType = .ociIndex) {
        object = JSONObject([("schemaVersion", .integer(2)), ("mediaType", .string(mediaType.rawValue))])
        entries = []
    }

    /// Reads an index. Throws ``ManifestError`` `.malformed`.
    package init(parsing bytes: [UInt8]) throws {
        _ = try Index(parsing: bytes)
        let json = try JSON(parsing: bytes)
        guard let object = json.object else {
            throw ManifestError(.malformed, "the document is not an image index")
        }
        self.object = object
        entries = try (json.list("manifests") ?? []).map(Entry.init(json:))
    }

    package var mediaType: MediaType {
        get { object["mediaType"]?.string.map(MediaType.init(rawValue:)) ?? .ociIndex }
        set { object["mediaType"] = .string(newValue.rawValue) }
    }

    /// The annotations of the index itself.
    package var annotations: [String: String] {
        get { Dictionary(object["annotations"]?.stringMap ?? [], uniquingKeysWith: { $1 }) }
        set { object["annotations"] = JSON.sortedMap(newValue) }
    }

    /// The document on one line (`index.json`) or indented (an index blob).
    package func encoded(_ style: JSONStyle = .pretty(2)) -> [UInt8] {
        var object = object
        object["manifests"] = .array(entries.map(\.json))
        if let annotations = object["annotations"] {
            // As Go's structure has it: after the manifests.
            object["annotations"] = nil
            object["annotations"] = annotations
        }
        return JSON.object(object).encoded(style)
    }
}

extension IndexDocument {
    /// A manifest as an index names it.
    package struct Entry: Hashable, Sendable {
        private var object: JSONObject
        package private(set) var descriptor: Descriptor

        package init(_ descriptor: Descriptor) {
            self.descriptor = descriptor
            object = descriptor.json.object ?? JSONObject()
        }

        init(json: JSON) throws {
            descriptor = try Descriptor(json: json)
            object = json.object ?? JSONObject()
        }

        var json: JSON { .object(object) }

        package var platform: Platform? { descriptor.platform }

        /// The kind of what is no image, such as a signature.
        package var artifactType: String? {
            get { object["artifactType"]?.string }
            set { object["artifactType"] = newValue.map(JSON.string) }
        }

        /// Whether it says something about another manifest of the index and is no image, as BuildKit's attestations.
        package var isAttestation: Bool {
            descriptor.annotations[Self.typeKey] == "attestation-manifest" || descriptor.platform?.os == "unknown"
        }

        /// The manifest that an attestation is about.
        package var subject: Digest? {
            get { descriptor.annotations[Self.digestKey].flatMap { try? Digest(parsing: $0) } }
            set { setAnnotation(Self.digestKey, newValue?.description) }
        }

        private static let typeKey = "vnd.docker.reference.type"
        private static let digestKey = "vnd.docker.reference.digest"

        /// The same entry for a document that takes the place of the former one.
        package func pointing(to other: Descriptor) -> Entry {
            var copy = self
            copy.object["mediaType"] = .string(other.mediaType.rawValue)
            copy.object["digest"] = .string(other.digest.description)
            copy.object["size"] = .integer(other.size)
            // The bytes of the former document, in a descriptor that carries them.
            copy.object["data"] = nil
            copy.update()
            return copy
        }

        package mutating func setAnnotation(_ key: String, _ value: String?) {
            var annotations = descriptor.annotations
            annotations[key] = value
            object["annotations"] = JSON.sortedMap(annotations)
            update()
        }

        /// Removes all annotations, which Docker's format does not have.
        package mutating func removeAnnotations() {
            object["annotations"] = nil
            update()
        }

        /// Sets members of the platform; what else it says stays.
        package mutating func setPlatform(_ members: [(String, JSON)]) {
            var platform = object["platform"]?.object ?? JSONObject()
            for (key, value) in members { platform[key] = value }
            object["platform"] = .object(platform)
            update()
        }

        private mutating func update() {
            if let changed = try? Descriptor(json: json) { descriptor = changed }
        }
    }
}
