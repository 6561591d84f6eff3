import OCI

/// The packages that Composer has installed for PHP: its `installed.json`, of either version.
enum ComposerList {
    static func packages(in bytes: [UInt8]) -> [InstalledSoftware] {
        guard let json = try? JSON(parsing: bytes) else { return [] }
        return (json["packages"]?.array ?? json.array ?? []).compactMap { item in
            var package = InstalledSoftware(
                .composer, name: item["name"]?.string, version: item["version"]?.string)
            let licenses = item["license"]?.strings ?? []
            package?.license = licenses.isEmpty ? nil : licenses.prefix(16).joined(separator: " OR ")
            return package
        }
    }
}
