import Diagnostics

/// Changes of the descriptors in a manifest.
package enum ManifestEditing {
    /// The manifest with its config and its layers replaced by what `change` gives for them; all else stays as it is.
    ///
    /// Of a descriptor type, digest and size are replaced, and the annotations where the digest changes. Throws ``ManifestError`` `.malformed`, and what `change` throws.
    package static func replacing(
        in bytes: [UInt8], type: MediaType, _ change: (Descriptor) throws -> Descriptor
    ) throws -> [UInt8] {
        guard var object = try JSON(parsing: bytes).object else {
            throw ManifestError(.malformed, "the document is not an image manifest")
        }
        object["mediaType"] = .string(type.rawValue)
        if let config = object["config"] { object["config"] = try changed(config, change) }
        if let layers = object["layers"]?.array {
            object["layers"] = .array(try layers.map { try changed($0, change) })
        }
        return JSON.object(object).encoded(.pretty(2))
    }

    private static func changed(_ json: JSON, _ change: (Descriptor) throws -> Descriptor) throws -> JSON {
        let old = try Descriptor(json: json)
        let new = try change(old)
        guard var object = json.object, new != old else { return json }
        object["mediaType"] = .string(new.mediaType.rawValue)
        object["digest"] = .string(new.digest.description)
        object["size"] = .integer(new.size)
        if new.digest != old.digest {
            object["data"] = nil
            object["annotations"] = JSON.sortedMap(new.annotations)
        }
        return .object(object)
    }
}
