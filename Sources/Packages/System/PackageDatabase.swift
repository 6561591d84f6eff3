/// Reads the records of package managers: stanzas of `KEY:VALUE` lines with empty lines between them.
///
/// Sources: deb822(5) and dpkg's `status`; apk's `installed`. A stanza without a name or a version is no package.
package enum PackageDatabase {
    /// The packages of a database, in its order.
    package static func packages(of manager: InstalledSoftware.Manager, in bytes: [UInt8]) -> [InstalledSoftware] {
        var packages: [InstalledSoftware] = []
        var stanza: [String: String] = [:]
        func end() {
            if let package = package(of: manager, stanza) { packages.append(package) }
            stanza = [:]
        }
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            guard let first = line.first, first != UInt8(ascii: "\r") else {
                end()
                continue
            }
            // Lines that continue a value are descriptions and lists of files.
            guard first != UInt8(ascii: " "), first != UInt8(ascii: "\t"), line.count <= Self.lineLimit,
                let colon = line.firstIndex(of: UInt8(ascii: ":")), colon - line.startIndex <= 16
            else { continue }
            let key = String(decoding: line[..<colon], as: UTF8.self)
            guard Self.keys.contains(key), stanza[key] == nil else { continue }
            let value = String(decoding: line[(colon + 1)...], as: UTF8.self)
            stanza[key] = String(value.drop { $0 == " " || $0 == "\t" }.prefix { !$0.isNewline })
        }
        end()
        return packages
    }

    /// Longer lines hold nothing that is looked for.
    private static let lineLimit = 4096

    private static let keys: Set<String> = [
        "Package", "Version", "Architecture", "Source", "Status", "Maintainer", "Installed-Size",
        "P", "V", "A", "o", "L", "m", "I",
    ]

    private static func package(
        of manager: InstalledSoftware.Manager, _ stanza: [String: String]
    ) -> InstalledSoftware? {
        func value(_ key: String) -> String? { stanza[key].flatMap { $0.isEmpty ? nil : $0 } }
        let isDpkg = manager == .dpkg
        guard
            var package = InstalledSoftware(
                manager, name: value(isDpkg ? "Package" : "P"), version: value(isDpkg ? "Version" : "V"))
        else { return nil }
        // `install ok installed`; `deinstall ok config-files` has no files but configuration. Images without dpkg say
        // nothing.
        if let status = value("Status"), isDpkg, !status.hasSuffix(" installed") { return nil }
        // A virtual package of apk groups others.
        if !isDpkg, package.name.hasPrefix(".") { return nil }
        package.architecture = value(isDpkg ? "Architecture" : "A") ?? ""
        package.license = isDpkg ? nil : value("L")
        package.maintainer = value(isDpkg ? "Maintainer" : "m")
        package.source = value(isDpkg ? "Source" : "o").flatMap { source($0, of: package) }
        // In KiB and in bytes.
        package.size = value(isDpkg ? "Installed-Size" : "I").flatMap { Int64($0) }.flatMap { number in
            let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: isDpkg ? 1024 : 1)
            return isTooLarge || number < 0 ? nil : bytes
        }
        return package
    }

    /// Parses `name` or `name (version)`; `nil` for the package itself.
    private static func source(_ text: String, of package: InstalledSoftware) -> InstalledSoftware.Source? {
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard let name = parts.first else { return nil }
        var version: String?
        if parts.count == 2, parts[1].hasPrefix("("), parts[1].hasSuffix(")") {
            version = String(parts[1].dropFirst().dropLast())
        }
        return name == package.name && version == nil ? nil : InstalledSoftware.Source(name: name, version: version)
    }
}

extension PackageDatabase {
    /// The paths of files that packages of apk own.
    static func apkFiles(in bytes: [UInt8]) -> [String] {
        var files: [String] = []
        var directory: ArraySlice<UInt8> = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: "F:".utf8) { directory = line.dropFirst(2) }
            guard line.starts(with: "R:".utf8) else { continue }
            let path = directory + (directory.isEmpty ? [] : [UInt8(ascii: "/")]) + line.dropFirst(2)
            files.append("/" + String(decoding: path, as: UTF8.self))
        }
        return files
    }

    /// Whether the bytes are a database, which may be empty.
    static func isReadable(_ bytes: [UInt8], of manager: InstalledSoftware.Manager) -> Bool {
        let key = Array((manager == .dpkg ? "Package:" : "P:").utf8)
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        return lines.isEmpty || lines.contains { $0.starts(with: key) }
    }
}
