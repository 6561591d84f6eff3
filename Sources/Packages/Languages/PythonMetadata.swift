/// Metadata of a distribution of Python: `METADATA` of a dist-info, `PKG-INFO` of an egg-info.
///
/// Source: https://packaging.python.org/specifications/core-metadata.
enum PythonMetadata {
    static func package(in bytes: [UInt8]) -> InstalledSoftware? {
        var fields: [String: String] = [:]
        for line in TextLines.split(bytes) {
            // The description follows an empty line.
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":"), line.first?.isWhitespace == false else { continue }
            let key = line[..<colon].lowercased()
            guard ["name", "version", "license", "license-expression"].contains(key), fields[key] == nil else {
                continue
            }
            fields[key] = String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
        }
        var package = InstalledSoftware(.python, name: fields["name"], version: fields["version"])
        // The license as text is of several lines, of which this is the first.
        let license = fields["license-expression"] ?? fields["license"]
        package?.license = license.flatMap { $0.isEmpty || $0 == "UNKNOWN" || $0.utf8.count > 200 ? nil : $0 }
        return package
    }
}
