/// The modules that a program of Go was built from, as its linker has noted them.
///
/// Source: Go's debug/buildinfo.
enum GoBuildInfo {
    private static let magic: [UInt8] = [0xff] + Array(" Go buildinf:".utf8)
    private static let textLimit = 16 << 20
    private static let moduleLimit = 20_000

    static func packages(in elf: ELFImage) -> [InstalledSoftware] {
        guard let (version, modules) = texts(of: elf), version.hasPrefix("go") else { return [] }
        var packages = Modules(modules).packages
        // E.g. `go1.22.3 X:boringcrypto`.
        let release = version.dropFirst(2).prefix { $0 != " " && $0 != "-" }
        if let standard = InstalledSoftware(.go, name: "stdlib", version: String(release)) { packages.append(standard) }
        return packages
    }

    /// The version of Go, and the list of modules.
    private static func texts(of elf: ELFImage) -> (version: String, modules: String)? {
        guard let place = header(in: elf) else { return nil }
        let data = elf.data
        guard let pointerSize = data.count(at: place + 14, size: 1), let flags = data.number(at: place + 15, size: 1)
        else { return nil }
        if flags & 2 != 0 {
            var offset = place + 32
            guard let version = inline(data, &offset), let modules = inline(data, &offset) else { return nil }
            return (String(decoding: version, as: UTF8.self), text(ofModules: modules))
        }
        guard pointerSize == 4 || pointerSize == 8 else { return nil }
        let numbers = ByteReader(data.bytes, isBigEndian: flags & 1 != 0)
        func string(_ offset: Int) -> ArraySlice<UInt8>? {
            guard let address = numbers.number(at: offset, size: pointerSize), let header = elf.offset(of: address),
                let start = numbers.number(at: header, size: pointerSize), let place = elf.offset(of: start),
                let count = numbers.count(at: header + pointerSize, size: pointerSize), count <= textLimit
            else { return nil }
            return data.slice(at: place, count: count)
        }
        guard let version = string(place + 16) else { return nil }
        return (
            String(decoding: version, as: UTF8.self), text(ofModules: string(place + 16 + pointerSize) ?? [])
        )
    }

    /// The place of the header: in its section or, where a linker has dropped that, at the beginning of the data.
    private static func header(in elf: ELFImage) -> Int? {
        let range: (offset: Int, size: Int)? =
            if let section = elf.sections.first(where: { $0.name == ".go.buildinfo" }) {
                (section.offset, section.size)
            } else {
                elf.segments.first { $0.isWritable && !$0.isExecutable }.map { ($0.offset, $0.size) }
            }
        guard let range, range.offset >= 0, range.offset < elf.data.bytes.count else { return nil }
        let end = range.offset + min(range.size, elf.data.bytes.count - range.offset)
        for place in stride(from: range.offset, to: end, by: 16) where elf.data.bytes[place] == 0xff {
            if elf.data.slice(at: place, count: magic.count)?.elementsEqual(magic) == true { return place }
        }
        return nil
    }

    /// A text behind its length, a number of seven bits a byte.
    private static func inline(_ data: ByteReader, _ offset: inout Int) -> ArraySlice<UInt8>? {
        var length = 0
        for shift in stride(from: 0, to: 28, by: 7) {
            guard let byte = data.number(at: offset, size: 1) else { return nil }
            offset += 1
            length |= Int(byte & 0x7f) << shift
            if byte & 0x80 == 0 {
                guard length <= textLimit, let bytes = data.slice(at: offset, count: length) else { return nil }
                offset += length
                return bytes
            }
        }
        return nil
    }

    /// The text between the marks of 16 bytes that stand around it; empty where they do not.
    private static func text(ofModules bytes: ArraySlice<UInt8>) -> String {
        guard bytes.count >= 33, bytes[bytes.endIndex - 17] == UInt8(ascii: "\n") else { return "" }
        return String(decoding: bytes.dropFirst(16).dropLast(16), as: UTF8.self)
    }

    /// The lines of the list: `mod`, `dep`, `=>` for what replaces the module before it, and settings of the build.
    private struct Modules {
        private var modules: [(path: String, version: String)] = []
        private var settings: [String: String] = [:]

        init(_ text: String) {
            for line in text.split(separator: "\n") where modules.count < moduleLimit {
                let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                switch parts.first {
                case "mod", "dep": if parts.count >= 3 { modules.append((parts[1], parts[2])) }
                case "=>":
                    if parts.count >= 3, !modules.isEmpty { modules[modules.count - 1] = (parts[1], parts[2]) }
                case "build":
                    let pair = parts.dropFirst().joined(separator: "\t").split(separator: "=", maxSplits: 1)
                    if pair.count == 2 { settings[String(pair[0])] = String(pair[1]) }
                default: break
                }
            }
        }

        var packages: [InstalledSoftware] {
            modules.compactMap { module in
                guard module.path != "command-line-arguments" else { return nil }
                return InstalledSoftware(
                    .go, name: module.path, version: module.version == "(devel)" ? ownVersion : module.version)
            }
        }

        /// The version of a module that was built from a checkout: as Go makes one from a commit.
        private var ownVersion: String {
            guard let revision = settings["vcs.revision"], let time = settings["vcs.time"], revision.utf8.count >= 12
            else { return "(devel)" }
            let digits = time.filter(\.isNumber).prefix(14)
            return digits.count == 14 ? "v0.0.0-\(digits)-\(revision.prefix(12))" : "(devel)"
        }
    }
}
