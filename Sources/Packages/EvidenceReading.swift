import Diagnostics
import Inspector
import Layers
import Linux

extension Evidence {
    /// The packages that the bytes of the file name.
    ///
    /// Throws ``PackagesError`` for a database of a distribution that cannot be read. Any other file that cannot be
    /// read names no package: a test case of a program is no reason to list nothing.
    func packages(in content: EvidenceBytes) throws -> [InstalledSoftware] {
        let bytes = content.file
        switch kind {
        case .dpkg, .apk:
            let manager: InstalledSoftware.Manager = kind == .dpkg ? .dpkg : .apk
            guard PackageDatabase.isReadable(bytes, of: manager) else {
                throw PackagesError(.badDatabase, "it is no database of \(manager.rawValue)")
            }
            return PackageDatabase.packages(of: manager, in: bytes)
        case .rpm: return try headers(in: content).compactMap(\.package)
        case .python: return [PythonMetadata.package(in: bytes)].compactMap(\.self)
        case .npm: return [NodePackage.package(in: bytes)].compactMap(\.self)
        case .gem: return [GemSpecification.package(in: bytes)].compactMap(\.self)
        case .composer: return ComposerList.packages(in: bytes)
        case .java: return JavaArchive.packages(in: bytes, name: path.lastComponent.text)
        case .program:
            guard let elf = ELFImage(bytes) else { return [] }
            return GoBuildInfo.packages(in: elf) + RustAudit.packages(in: elf)
        }
    }

    /// The paths of files that the packages of a distribution's database own, as far as the database says so.
    func ownedFiles(in content: EvidenceBytes) throws -> [String] {
        switch kind {
        case .apk: PackageDatabase.apkFiles(in: content.file)
        case .rpm: try headers(in: content).flatMap(\.files)
        default: []
        }
    }

    /// The headers in a database of rpm.
    func headers(in content: EvidenceBytes) throws -> [RPMHeader] {
        guard let log = content.log else { return try RPMDatabase.headers(in: content.file) }
        return try RPMDatabase.headers(in: SQLiteLog.applied(log, to: content.file, limit: kind.limit))
    }
}

/// The bytes of a file that names packages.
struct EvidenceBytes {
    let file: [UInt8]
    /// The write-ahead log beside a database of SQLite.
    let log: [UInt8]?
}

/// Reads files that name packages, one after the other, so that no more than one is in memory.
struct EvidenceReader {
    let image: InspectedImage

    /// Calls `body` with the bytes of each content, in no order. Of programs only those in ELF are read.
    ///
    /// Throws ``InspectorError`` `.missingContent` for a file whose layer is not there, and ``PackagesError`` `.tooLarge`
    /// for a database of a distribution.
    func read(
        _ wanted: [EvidenceContent: Evidence], _ body: (EvidenceContent, Evidence, EvidenceBytes) throws -> Void
    ) throws {
        try checkSizes(wanted)
        let logs = try logs(of: wanted)
        let read = wanted.filter { image.entry(at: $0.file).size <= $1.kind.limit }
        let contents = Dictionary(grouping: read.keys, by: \.file)
        var missing = Set(contents.keys)
        try image.forEachContent(of: Array(contents.keys)) { place, start in
            let isProgram = contents[place]?.contains { wanted[$0]?.kind == .program } ?? false
            return !isProgram || Array(start.prefix(4)) == ELFImage.magic
        } body: { place, bytes in
            missing.remove(place)
            guard let bytes else { return }
            for content in contents[place] ?? [] {
                guard let evidence = wanted[content] else { continue }
                try body(content, evidence, EvidenceBytes(file: bytes, log: content.log.flatMap { logs[$0] }))
            }
        }
        if let place = missing.first, let content = contents[place]?.first, let evidence = wanted[content] {
            throw InspectedImage.missing(evidence.path, place.layer)
        }
    }

    private func checkSizes(_ wanted: [EvidenceContent: Evidence]) throws {
        for (content, evidence) in wanted where evidence.kind.isOfSystem {
            let limit = evidence.kind.limit
            guard content.places.contains(where: { image.entry(at: $0).size > limit }) else { continue }
            throw PackagesError(.tooLarge, "'/\(evidence.path.text)' is larger than \(limit >> 20) MiB")
        }
    }

    /// The bytes of the write-ahead logs. Few databases have one that is not empty.
    private func logs(of wanted: [EvidenceContent: Evidence]) throws -> [ContentPlace: [UInt8]] {
        var logs: [ContentPlace: [UInt8]] = [:]
        let places = Set(wanted.keys.compactMap(\.log))
        try image.forEachContent(of: Array(places)) { _, _ in
            true
        } body: {
            logs[$0] = $1
        }
        if let place = places.first(where: { logs[$0] == nil }) {
            throw InspectedImage.missing(image.entry(at: place).path, place.layer)
        }
        return logs
    }
}

extension PackagesError {
    /// The same error with the file that it is about.
    func named(_ path: PathBytes) -> PackagesError {
        let rest = message.hasPrefix("it is ") ? " \(message.dropFirst(3))" : ": \(message)"
        return PackagesError(code, "'/\(path.text)'\(rest)", hint: hint)
    }
}
