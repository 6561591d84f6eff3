import Diagnostics
import SystemPackage

/// The attributes of one `--output`, each to be taken once.
struct OutputAttributes {
    let type: String
    private var values: [String: String] = [:]
    /// Whether `unpack` was asked for. Layers of the store are unpacked when they are needed.
    var unpacks = false

    init(_ fields: [String]) throws {
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw RequestsError(.badOutput, "invalid value '\(field)' in --output", hint: "Write it as key=value.")
            }
            // The key of an annotation is the user's own word.
            values[parts[0].hasPrefix("annotation") ? parts[0] : parts[0].lowercased()] = parts[1]
        }
        guard let type = values.removeValue(forKey: "type") else {
            throw RequestsError(.badOutput, "--output needs a type", hint: "Write it as type=TYPE,key=value.")
        }
        self.type = type
    }

    func has(_ name: String) -> Bool { values[name] != nil }

    mutating func take(_ name: String) -> String? { values.removeValue(forKey: name) }

    /// A boolean as Go reads it.
    mutating func flag(_ name: String, bareMeans bare: Bool? = nil) throws -> Bool? {
        guard let value = take(name) else { return nil }
        switch value.lowercased() {
        case "true", "t", "1": return true
        case "false", "f", "0": return false
        case "": if let bare { return bare }
        default: break
        }
        throw RequestsError(.badOutput, "'\(value)' is not a value for \(name)", hint: "Use true or false.")
    }

    mutating func destination() throws -> FilePath {
        guard let path = take("dest"), !path.isEmpty else {
            throw RequestsError(.badOutput, "--output type=\(type) needs a destination", hint: "Add dest=PATH.")
        }
        return FilePath(path)
    }

    /// The annotations, sorted by their attributes.
    mutating func takeAnnotations() throws -> [ImageAnnotation] {
        var annotations: [ImageAnnotation] = []
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let annotation = try ImageAnnotation.parse(attribute: name, value: value) else { continue }
            annotations.append(annotation)
            values[name] = nil
        }
        return annotations
    }

    static func epoch(_ text: String) throws -> Int64 { try Epoch.parse(text, option: "source-date-epoch") }

    func requireEmpty() throws {
        guard let unknown = values.keys.sorted().first else { return }
        throw unsupported(unknown)
    }

    func unsupported(_ name: String) -> RequestsError {
        RequestsError(
            .badOutput, "--output type=\(type) does not take the attribute '\(name)'",
            hint: "See docs/outputs.md for what there is.")
    }
}
