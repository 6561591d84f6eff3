package import OCI

/// The name of a package in any ecosystem.
///
/// Source: https://github.com/package-url/purl-spec.
package struct PackageURL: Hashable, Sendable {
    package let type: String
    /// The parts of the name, the last being the name itself.
    package let path: [String]
    package let version: String?
    package let qualifiers: [String: String]

    package init(type: String, path: [String], version: String? = nil, qualifiers: [String: String] = [:]) {
        self.type = type
        self.path = path
        self.version = version
        self.qualifiers = qualifiers
    }

    /// An image, as BuildKit names it: Docker's own registry and its library are left out.
    package init(image reference: ImageReference, platform: Platform?) {
        var qualifiers: [String: String] = [:]
        qualifiers["platform"] = platform?.description
        qualifiers["digest"] = reference.digest?.description
        self.init(
            type: "docker", path: reference.familiarName.split(separator: "/").map(String.init), version: reference.tag,
            qualifiers: qualifiers)
    }
}

extension PackageURL: CustomStringConvertible {
    package var description: String {
        var text = "pkg:\(type)/" + path.map { Self.escape($0, keeping: "") }.joined(separator: "/")
        if let version { text += "@" + Self.escape(version, keeping: "") }
        let list = qualifiers.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.escape($0.value, keeping: ""))" }
        return list.isEmpty ? text : text + "?" + list.joined(separator: "&")
    }

    /// Replaces all bytes but letters, digits, `-._~:` and those to keep.
    private static func escape(_ text: String, keeping kept: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            let isPlain =
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "-._~:".utf8.contains(byte) || kept.utf8.contains(byte)
                }
            if isPlain {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
    }
}
