import FoundationEssentials
package import OCI

/// The build of an image as its provenance has it, read from a predicate of SLSA, version 1 or 0.2.
package struct RecordedProvenance: Hashable, Sendable {
    /// The materials of the build.
    package let materials: [Provenance.Material]
    /// The origin of the context, without an address for files of a machine.
    package let source: Provenance.Source
    /// The options of the frontend, such as `build-arg:NAME` and `target`.
    package let arguments: [String: String]
    /// The Dockerfile, if the provenance has it.
    package let file: Provenance.File?
    /// The address and the commit of the checkout that a local context was in.
    package let checkout: [String: String]
    package let secrets: [String]
    package let agents: [String]
    /// Whether nothing of the request was left out.
    package let saysAll: Bool
    /// Of a build without a random part, the beginning of the Dockerfile's digest.
    package let invocationID: String

    /// Reads a statement; `nil` for one that is no provenance of an image builder.
    package init?(statement: JSON) {
        guard statement["predicateType"]?.string?.hasPrefix("https://slsa.dev/provenance/") == true,
            let predicate = statement["predicate"]
        else { return nil }
        let isFirst = predicate["buildDefinition"] == nil
        let definition = predicate["buildDefinition"]
        guard definition?["buildType"]?.string != EditProvenance.buildType else { return nil }
        let external = isFirst ? predicate["invocation"] : definition?["externalParameters"]
        guard let external else { return nil }
        let request = external[isFirst ? "parameters" : "request"]
        let configSource = external["configSource"]
        let run = predicate["runDetails"]?["metadata"]
        let metadata =
            isFirst
            ? predicate["metadata"]?["https://mobyproject.org/buildkit@v1#metadata"] : run?["buildkit_metadata"]
        let list = (isFirst ? predicate["materials"] : definition?["resolvedDependencies"])?.array ?? []
        materials = list.compactMap(Self.material)
        source = Provenance.Source(
            material: configSource.flatMap(Self.material),
            path: configSource?[isFirst ? "entryPoint" : "path"]?.string ?? "Dockerfile")
        arguments = Self.map(request?["args"])
        let info = metadata?["source"]?["infos"]?.array?.first
        file = info?["data"]?.string.map {
            Provenance.File(name: info?["filename"]?.string ?? "Dockerfile", base64: $0)
        }
        checkout = Self.map(metadata?["vcs"])
        secrets = (request?["secrets"]?.array ?? []).compactMap { $0["id"]?.string }
        agents = (request?["ssh"]?.array ?? []).compactMap { $0["id"]?.string }
        invocationID =
            predicate["metadata"]?["buildInvocationID"]?.string ?? run?["invocationId"]?.string ?? ""
        let completeness = isFirst ? predicate["metadata"]?["completeness"] : run?["buildkit_completeness"]
        saysAll = completeness?[isFirst ? "parameters" : "request"]?.bool ?? false
    }

    /// Whether the build had nothing random, as with `--reproducible`.
    package var isReproducible: Bool {
        guard let bytes = file?.bytes else { return false }
        return invocationID == Provenance.identifier(of: Digest(of: bytes))
    }

    private static func map(_ json: JSON?) -> [String: String] {
        Dictionary(json?.stringMap ?? [], uniquingKeysWith: { first, _ in first })
    }

    private static func material(_ json: JSON) -> Provenance.Material? {
        guard let uri = json["uri"]?.string, let digest = json["digest"]?.stringMap?.first else { return nil }
        return Provenance.Material(uri: uri, algorithm: digest.0, hex: digest.1)
    }

    /// The images that the build has used, by their names with the digests that were found.
    package var images: [ImageReference] {
        materials.compactMap { material in
            guard material.algorithm == "sha256", let url = PackageURL(parsing: material.uri), url.type == "docker",
                let digest = try? Digest(parsing: "sha256:\(material.hex)")
            else { return nil }
            let name = try? ImageReference(parsing: url.path.joined(separator: "/"))
            return name?.with(tag: url.version, digest: digest)
        }
    }
}

extension Provenance {
    /// The identifier of a build without a random part: the same for the same Dockerfile.
    package static func identifier(of file: Digest) -> String { String(file.hex.prefix(25)) }
}

extension Provenance.File {
    /// The text; `nil` for what is no Base64.
    package var bytes: [UInt8]? { Data(base64Encoded: base64).map(Array.init) }
}

extension PackageURL {
    /// Reads a URL; `nil` for anything else.
    package init?(parsing text: String) {
        guard text.hasPrefix("pkg:"), text.utf8.count <= 4096 else { return nil }
        let parts = text.dropFirst(4).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let names = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let path = names[0].split(separator: "/").map { Self.unescape($0) }
        guard path.count >= 2 else { return nil }
        var qualifiers: [String: String] = [:]
        for item in parts.count == 2 ? parts[1].split(separator: "&") : [] {
            let pair = item.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { qualifiers[String(pair[0])] = Self.unescape(pair[1]) }
        }
        self.init(
            type: path[0], path: Array(path.dropFirst()), version: names.count == 2 ? Self.unescape(names[1]) : nil,
            qualifiers: qualifiers)
    }

    private static func unescape(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            guard byte == UInt8(ascii: "%"), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
