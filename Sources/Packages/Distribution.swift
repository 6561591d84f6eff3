/// The distribution of an image, as its `os-release` names it.
///
/// Source: os-release(5).
package struct Distribution: Hashable, Sendable {
    /// E.g. `debian`.
    package let id: String
    /// E.g. `12`; empty for one without versions.
    package let version: String
    package let name: String

    /// Reads the file; `nil` when it names no distribution.
    package init?(osRelease bytes: [UInt8]) {
        var values: [String: String] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let parts = String(decoding: line, as: UTF8.self).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            var value = parts[1].filter { !$0.isNewline }[...]
            if let quote = value.first, quote == "\"" || quote == "'", value.count > 1, value.last == quote {
                value = value.dropFirst().dropLast()
            }
            values[String(parts[0])] = String(value)
        }
        guard let id = values["ID"], !id.isEmpty, id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        self.id = id
        version = values["VERSION_ID"] ?? ""
        name = values["PRETTY_NAME"] ?? id
    }

    /// The name that URLs of rpm packages have for it.
    package var vendor: String {
        if id == "rhel" { return "redhat" }
        return id.hasPrefix("opensuse") ? "opensuse" : id
    }

    /// E.g. `debian-12`.
    package var label: String { version.isEmpty ? id : "\(id)-\(version)" }
}
