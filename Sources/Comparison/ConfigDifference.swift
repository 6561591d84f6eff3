package import OCI

/// A field in which the configs of two images differ.
package struct ConfigDifference: Hashable, Sendable {
    /// The way to the field, such as `config.Env.PATH`.
    package let field: String
    /// `nil` when the image does not have the field.
    package let old: JSON?
    package let new: JSON?

    /// The differences in the order of the first config's fields, then the second's. Layers are left out, as they are
    /// compared by themselves.
    static func between(_ old: ImageConfig, _ new: ImageConfig, ignoresTimes: Bool) -> [ConfigDifference] {
        let before = fields(of: old, ignoresTimes)
        let after = fields(of: new, ignoresTimes)
        let known = Dictionary(before, uniquingKeysWith: { $1 })
        let wanted = Dictionary(after, uniquingKeysWith: { $1 })
        var seen: Set<String> = []
        return (before + after).compactMap { field, _ in
            guard seen.insert(field).inserted, known[field] != wanted[field] else { return nil }
            return ConfigDifference(field: field, old: known[field], new: wanted[field])
        }
    }

    private static func fields(of config: ImageConfig, _ ignoresTimes: Bool) -> [(String, JSON)] {
        var fields: [(String, JSON)] = []
        for (key, value) in config.json.object?.members ?? [] {
            switch key {
            case "rootfs": break
            case "created" where ignoresTimes: break
            case "history": fields.append((key, ignoresTimes ? withoutTimes(value) : value))
            default: add(key, value, &fields)
            }
        }
        return fields
    }

    private static func withoutTimes(_ history: JSON) -> JSON {
        .array(
            (history.array ?? []).map { step in
                guard var object = step.object else { return step }
                object["created"] = nil
                return .object(object)
            })
    }

    private static func add(_ field: String, _ value: JSON, _ fields: inout [(String, JSON)]) {
        if field == "config.Env", let variables = value.strings {
            for variable in variables {
                let parts = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                fields.append(("\(field).\(parts[0])", .string(parts.count > 1 ? String(parts[1]) : "")))
            }
            return
        }
        guard let object = value.object, !object.isEmpty else {
            fields.append((field, value))
            return
        }
        for (key, value) in object.members { add("\(field).\(key)", value, &fields) }
    }
}
