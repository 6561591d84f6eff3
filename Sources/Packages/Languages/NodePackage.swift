import Linux
import OCI

/// An installed package of Node: the `package.json` at its root.
///
/// Source: https://docs.npmjs.com/cli/configuring-npm/package-json.
enum NodePackage {
    /// Whether a path is that of a package's own `package.json`, and not of one in a directory of it.
    static func isRoot(_ path: PathBytes) -> Bool {
        let parts = path.components
        guard let modules = parts.lastIndex(of: "node_modules") else { return false }
        let rest = parts[(modules + 1)...]
        guard let first = rest.first else { return false }
        return rest.count == (first.hasPrefix("@") ? 3 : 2)
    }

    static func package(in bytes: [UInt8]) -> InstalledSoftware? {
        guard let json = try? JSON(parsing: bytes),
            var package = InstalledSoftware(.npm, name: json["name"]?.string, version: json["version"]?.string)
        else { return nil }
        let list = json["licenses"]?.array?.compactMap { $0["type"]?.string ?? $0.string }.prefix(16)
        package.license =
            json["license"]?.string ?? json["license"]?["type"]?.string
            ?? list.flatMap { $0.isEmpty ? nil : $0.joined(separator: " OR ") }
        return package
    }
}
