import Diagnostics
import DockerfileSyntax
package import SystemPackage
import Trees

/// Where the result of a build goes, besides the store.
package enum BuildOutput: Hashable, Sendable {
    /// The image, in the store: what is done without any output.
    case store
    /// An OCI layout: an archive, or with `isArchive` false a directory. `-` is the standard output.
    case oci(FilePath, isArchive: Bool)
    /// An archive that both kinds of reader take. `-` is the standard output.
    case dockerArchive(FilePath)
    /// The files of the result, without their owners.
    case directory(FilePath)
    /// The files of the result as one tar archive. `-` is the standard output.
    case tar(FilePath)
    /// Pushes the image under all its names.
    case push
    /// Builds and keeps nothing but the cache.
    case none

    /// Whether the output is made from an image, and not from its files alone.
    package var isImage: Bool {
        switch self {
        case .store, .oci, .dockerArchive, .push: true
        case .directory, .tar, .none: false
        }
    }

    /// Whether the output goes to the standard output.
    package var isStandardOutput: Bool {
        switch self {
        case .oci(let path, _), .dockerArchive(let path), .tar(let path): path == "-"
        case .store, .directory, .push, .none: false
        }
    }
}

extension BuildOutput {
    /// Parses the argument of `--output`: a directory, `-`, or `type=TYPE,KEY=VALUE,…`.
    ///
    /// - Returns: the output and the image names that the argument gives.
    /// - Throws: ``RequestsError`` `.badOutput` for a type or an attribute that is not known here.
    package static func parse(_ text: String) throws -> (output: BuildOutput, names: [String]) {
        let fields = try CommaSeparated.fields(text)
        if fields.count == 1, !text.contains("=") {
            return (text == "-" ? .tar("-") : .directory(FilePath(text)), [])
        }
        var attributes: [String: String] = [:]
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw RequestsError(.badOutput, "invalid value '\(field)' in --output", hint: "Write it as key=value.")
            }
            attributes[parts[0].lowercased()] = parts[1]
        }
        let type = attributes.removeValue(forKey: "type") ?? ""
        let names = attributes.removeValue(forKey: "name").map { $0.split(separator: ",").map(String.init) } ?? []
        let output = try output(type, &attributes)
        if let unknown = attributes.keys.sorted().first {
            throw RequestsError(
                .badOutput, "--output type=\(type) does not take the attribute '\(unknown)' yet",
                hint: "See 'lamina build --help' for what there is.")
        }
        return (output, names)
    }

    private static func output(_ type: String, _ attributes: inout [String: String]) throws -> BuildOutput {
        switch type {
        case "oci":
            let isArchive = try flag("tar", &attributes) ?? true
            return .oci(try destination(type, &attributes), isArchive: isArchive)
        case "docker":
            guard attributes["dest"] != nil else { return .store }
            return .dockerArchive(try destination(type, &attributes))
        case "local": return .directory(try destination(type, &attributes))
        case "tar": return .tar(try destination(type, &attributes))
        case "image": return try flag("push", &attributes) ?? false ? .push : .store
        case "registry": return .push
        case "cacheonly": return .none
        default:
            throw RequestsError(
                .badOutput, "unknown output type '\(type)'",
                hint: "Use one of oci, docker, local, tar, image, registry and cacheonly.")
        }
    }

    private static func destination(_ type: String, _ attributes: inout [String: String]) throws -> FilePath {
        guard let path = attributes.removeValue(forKey: "dest"), !path.isEmpty else {
            throw RequestsError(.badOutput, "--output type=\(type) needs a destination", hint: "Add dest=PATH.")
        }
        return FilePath(path)
    }

    private static func flag(_ name: String, _ attributes: inout [String: String]) throws -> Bool? {
        switch attributes.removeValue(forKey: name)?.lowercased() {
        case nil: return nil
        case "true", "1": return true
        case "false", "0": return false
        case let value?:
            throw RequestsError(.badOutput, "'\(value)' is not a value for \(name)", hint: "Use true or false.")
        }
    }
}
