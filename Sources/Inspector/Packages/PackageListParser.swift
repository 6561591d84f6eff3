/// Reads the records of package managers: stanzas of `KEY:VALUE` lines with empty lines between them.
///
/// Sources: deb822(5), dpkg's `status`; apk's `installed`. A stanza without a name or a version is no package, and lines that
/// continue a value are passed over.
struct PackageListParser {
    private let manager: InstalledPackage.Manager
    private let nameKey: String
    private let versionKey: String
    private let sizeKey: String
    /// The bytes of a unit in which sizes are stated.
    private let sizeUnit: Int64
    private(set) var packages: [InstalledPackage] = []

    private var name: String?
    private var version: String?
    private var size: Int64?
    private var isInstalled = true

    init(_ manager: InstalledPackage.Manager) {
        self.manager = manager
        let isDpkg = manager == .dpkg
        nameKey = isDpkg ? "Package" : "P"
        versionKey = isDpkg ? "Version" : "V"
        sizeKey = isDpkg ? "Installed-Size" : "I"
        sizeUnit = isDpkg ? 1024 : 1
    }

    static func packages(of manager: InstalledPackage.Manager, in bytes: [UInt8]) -> [InstalledPackage] {
        var parser = PackageListParser(manager)
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) { parser.read(line) }
        parser.endStanza()
        return parser.packages
    }

    private mutating func read(_ line: ArraySlice<UInt8>) {
        guard let first = line.first, first != UInt8(ascii: "\r") else { return endStanza() }
        guard first != UInt8(ascii: " "), first != UInt8(ascii: "\t"),
            let colon = line.firstIndex(of: UInt8(ascii: ":")), colon - line.startIndex <= 16
        else { return }
        let key = String(decoding: line[..<colon], as: UTF8.self)
        guard [nameKey, versionKey, sizeKey, "Status"].contains(key) else { return }
        let value = String(decoding: line[(colon + 1)...], as: UTF8.self).drop { $0 == " " }
        let text = String(value.prefix { !$0.isNewline })
        switch key {
        case nameKey: name = text
        case versionKey: version = text
        case sizeKey:
            size = Int64(text).flatMap { number in
                let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: sizeUnit)
                return isTooLarge || number < 0 ? nil : bytes
            }
        // `install ok installed`; `deinstall ok config-files` has no files but configuration.
        default: isInstalled = text.hasSuffix(" installed")
        }
    }

    private mutating func endStanza() {
        if let name, let version, isInstalled, !name.isEmpty {
            packages.append(InstalledPackage(manager: manager, name: name, version: version, size: size))
        }
        (name, version, size, isInstalled) = (nil, nil, nil, true)
    }
}
