/// The artifacts in an archive of Java, and in archives within it.
///
/// Each `pom.properties` names one. An archive without any is one artifact, by its manifest or its name.
struct JavaArchive {
    static let extensions: Set<String> = [
        "jar", "war", "ear", "par", "sar", "nar", "jpi", "hpi", "kar", "rar", "lpkg", "far",
    ]
    private static let depthLimit = 4
    private static let documentLimit = 1 << 20
    private static let nestedLimit = 128 << 20

    /// How many bytes of archives within archives may still be unpacked.
    private var budget = 512 << 20
    private var packages: [InstalledSoftware] = []

    /// `name` is the last part of the archive's path.
    static func packages(in bytes: [UInt8], name: String) -> [InstalledSoftware] {
        var reader = JavaArchive()
        reader.read(bytes, name: name, depth: 1)
        var seen: Set<InstalledSoftware> = []
        return reader.packages.filter { seen.insert($0).inserted }
    }

    static func isArchive(_ name: String) -> Bool {
        name.split(separator: ".").last.map { extensions.contains($0.lowercased()) } == true && name.contains(".")
    }

    private mutating func read(_ bytes: [UInt8], name: String, depth: Int) {
        guard let archive = ZipArchive(bytes) else { return }
        var named: [InstalledSoftware] = []
        var manifest: [String: String] = [:]
        for member in archive.members {
            let parts = member.name.split(separator: "/", omittingEmptySubsequences: false)
            if member.name == "META-INF/MANIFEST.MF" {
                manifest = archive.bytes(of: member, limit: Self.documentLimit).map(Self.manifest) ?? [:]
            } else if parts.count == 5, member.name.hasPrefix("META-INF/maven/"), parts[4] == "pom.properties" {
                let text = archive.bytes(of: member, limit: Self.documentLimit) ?? []
                if let artifact = Self.artifact(inProperties: text) { named.append(artifact) }
            } else if depth < Self.depthLimit, Self.isArchive(member.name), member.size <= budget,
                let nested = archive.bytes(of: member, limit: Self.nestedLimit)
            {
                budget -= nested.count
                read(nested, name: parts.last.map(String.init) ?? "", depth: depth + 1)
            }
        }
        // An agent that weaves classes bears the name of another.
        guard manifest["Weave-Classes"] == nil else { return }
        packages += named
        if named.isEmpty, let own = Self.artifact(named: name, manifest) { packages.append(own) }
    }

    private static func artifact(inProperties bytes: [UInt8]) -> InstalledSoftware? {
        var values: [String: String] = [:]
        for line in TextLines.split(bytes).prefix(200) {
            let pair = line.split(separator: "=", maxSplits: 1).map { $0.filter { !$0.isWhitespace } }
            if pair.count == 2 { values[pair[0]] = pair[1] }
        }
        guard let group = values["groupId"], let artifact = values["artifactId"], !group.isEmpty, !artifact.isEmpty
        else { return nil }
        return InstalledSoftware(.maven, name: "\(group):\(artifact)", version: values["version"])
    }

    /// The main section: lines of at most 72 bytes, of which those that begin with a space continue the one before.
    static func manifest(_ bytes: [UInt8]) -> [String: String] {
        var lines: [String] = []
        for line in TextLines.split(bytes).prefix(10_000) {
            if line.isEmpty { break }
            if line.first == " ", !lines.isEmpty {
                lines[lines.count - 1] += line.dropFirst()
            } else {
                lines.append(String(line))
            }
        }
        return Dictionary(
            lines.compactMap { line in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                return (String(line[..<colon]), String(value))
            }, uniquingKeysWith: { first, _ in first })
    }

    /// The artifact that an archive itself is: its name is the file's, its version the manifest's or the file's.
    private static func artifact(named file: String, _ manifest: [String: String]) -> InstalledSoftware? {
        let (name, fileVersion) = parts(of: file)
        let stated = ["Implementation-Version", "Specification-Version", "Plugin-Version", "Bundle-Version"].lazy
            .compactMap { manifest[$0] }.first { !$0.isEmpty }
        var package = InstalledSoftware(.maven, name: name, version: fileVersion ?? stated)
        package?.license = manifest["Bundle-License"] ?? manifest["Plugin-License-Name"]
        return package
    }

    /// Splits `name-1.2.3.jar`: the version begins at the first part that begins with a digit.
    static func parts(of file: String) -> (name: String, version: String?) {
        let stem = file.lastIndex(of: ".").map { file[..<$0] } ?? file[...]
        let parts = stem.split(separator: "-", omittingEmptySubsequences: false)
        let start = parts.indices.dropFirst().first { parts[$0].first?.isNumber == true }
        guard let start else { return (String(stem), nil) }
        return (parts[..<start].joined(separator: "-"), parts[start...].joined(separator: "-"))
    }
}
