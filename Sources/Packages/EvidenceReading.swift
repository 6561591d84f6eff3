import Diagnostics
import Inspector
import Layers
import Linux

extension Evidence {
    /// The packages that the bytes of the file name.
    ///
    /// Throws ``PackagesError`` for a database of a distribution that cannot be read. Any other file that cannot be
    /// read names no package: a test case of a program is no reason to list nothing.
    func packages(in bytes: [UInt8]) throws -> [InstalledSoftware] {
        switch kind {
        case .dpkg, .apk:
            let manager: InstalledSoftware.Manager = kind == .dpkg ? .dpkg : .apk
            guard PackageDatabase.isReadable(bytes, of: manager) else {
                throw PackagesError(.badDatabase, "it is no database of \(manager.rawValue)")
            }
            return PackageDatabase.packages(of: manager, in: bytes)
        case .rpm: return try RPMDatabase.headers(in: bytes).compactMap(\.package)
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
    func ownedFiles(in bytes: [UInt8]) throws -> [String] {
        switch kind {
        case .apk: PackageDatabase.apkFiles(in: bytes)
        case .rpm: try RPMDatabase.headers(in: bytes).flatMap(\.files)
        default: []
        }
    }
}

/// Reads files that name packages, one after the other, so that no more than one is in memory.
struct EvidenceReader {
    let image: InspectedImage

    /// Calls `body` with the bytes of each place, in no order. Of programs only those in ELF are read.
    ///
    /// Throws ``InspectorError`` `.missingContent` for a file whose layer is not there.
    func read(
        _ wanted: [ContentPlace: Evidence], _ body: (ContentPlace, Evidence, [UInt8]) throws -> Void
    ) throws {
        for (place, evidence) in wanted where image.entry(at: place).size > evidence.kind.limit {
            guard evidence.kind.isOfSystem else { continue }
            let limit = evidence.kind.limit >> 20
            throw PackagesError(.tooLarge, "'/\(evidence.path.text)' is larger than \(limit) MiB")
        }
        let places = wanted.keys.filter { image.entry(at: $0).size <= wanted[$0]?.kind.limit ?? 0 }
        var missing = Set(places)
        try image.forEachContent(of: places) { place, start in
            wanted[place]?.kind != .program || Array(start.prefix(4)) == ELFImage.magic
        } body: { place, bytes in
            missing.remove(place)
            if let evidence = wanted[place], let bytes { try body(place, evidence, bytes) }
        }
        if let place = missing.first, let evidence = wanted[place] {
            throw InspectedImage.missing(evidence.path, place.layer)
        }
    }
}

extension PackagesError {
    /// The same error with the file that it is about.
    func named(_ path: PathBytes) -> PackagesError {
        let rest = message.hasPrefix("it is ") ? " \(message.dropFirst(3))" : ": \(message)"
        return PackagesError(code, "'/\(path.text)'\(rest)", hint: hint)
    }
}
