package import Inspector
import Layers
package import Linux

/// Finds the files of an image that packages of its distribution own.
package struct PackageFiles {
    private let image: InspectedImage
    private let files: ScopedFiles
    private var owners: [PathBytes: String] = [:]
    /// The directories that lists of files name, without links.
    private var directories: [PathBytes: PathBytes] = [:]

    private static let listLimit = 16 << 20

    /// The owner of each file that a package has, by the path without links: the name of the source package, as packages
    /// of one source change together. Of several owners it is the first by name.
    ///
    /// - Throws: ``PackagesError`` for a database that cannot be read, `InspectorError` `.missingContent` where the layer
    ///   of one is not there.
    package static func owners(in image: InspectedImage) throws -> [PathBytes: String] {
        guard image.tree.layerCount > 0 else { return [:] }
        var search = PackageFiles(image)
        try search.readDatabases()
        return search.owners
    }

    private init(_ image: InspectedImage) {
        self.image = image
        files = ScopedFiles(image.tree, .after(image.tree.layerCount - 1))
    }

    private mutating func readDatabases() throws {
        let databases = EvidenceSearch.evidence(in: image, after: image.tree.layerCount - 1)
            .filter(\.kind.isOfSystem)
        var sources: [String: String] = [:]
        var owned: [(name: String, files: [String])] = []
        let wanted = Dictionary(databases.map { ($0.content, $0) }) { first, _ in first }
        try EvidenceReader(image: image).read(wanted) { _, evidence, content in
            do {
                switch evidence.kind {
                case .rpm:
                    owned += try evidence.headers(in: content).compactMap { header in
                        header.package.map { ($0.sourceName, header.files) }
                    }
                case .apk: owned += PackageDatabase.apkFilesBySource(in: content.file)
                default:
                    for package in try evidence.packages(in: content) { sources[package.name] = package.sourceName }
                }
            } catch let error as PackagesError { throw error.named(evidence.path) }
        }
        for (name, files) in owned {
            for file in files { own(file.utf8, name) }
        }
        try readListsOfDebian(sources)
    }

    /// Reads a list of files for each package: `NAME.list`, or `NAME.md5sums` in images without dpkg.
    private mutating func readListsOfDebian(_ sources: [String: String]) throws {
        var lists: [ContentPlace: (name: String, hasSums: Bool)] = [:]
        for (folder, ending) in [("var/lib/dpkg/info", ".list"), ("var/lib/dpkg/status.d", ".md5sums")] {
            guard let directory = try? files.node(at: PathBytes(folder), followsLast: true) else { continue }
            for node in files.children(of: directory) {
                let file = image.tree.path(of: node).lastComponent.text
                guard file.hasSuffix(ending), let place = files.file(at: node).flatMap({ image.place(of: $0) }) else {
                    continue
                }
                let name = String(file.dropLast(ending.count).prefix { $0 != ":" })
                lists[place] = (sources[name] ?? name, ending == ".md5sums")
            }
        }
        try image.forEachContent(of: Array(lists.keys), limit: Self.listLimit) { _, _ in
            true
        } body: { place, bytes in
            guard let (name, hasSums) = lists[place] else { return }
            for line in (bytes ?? []).split(separator: UInt8(ascii: "\n")) {
                // A sum, two spaces, and a path that does not begin with a slash.
                own(hasSums ? line.dropFirst(34) : line, name)
            }
        }
    }

    private mutating func own(_ path: some Collection<UInt8>, _ name: String) {
        let path = PathBytes(Array(path.drop { $0 == UInt8(ascii: "/") })[...])
        guard !path.isEmpty else { return }
        let place = resolved(path.parent).appending(path.lastComponent)
        owners[place] = min(name, owners[place] ?? name)
    }

    /// Lists say `/lib/…` for what lies in `/usr/lib/…` where `/lib` is a link.
    private mutating func resolved(_ directory: PathBytes) -> PathBytes {
        if directory.isEmpty { return directory }
        if let known = directories[directory] { return known }
        let node = try? files.node(at: directory, followsLast: true)
        let place = node.map { image.tree.path(of: $0) } ?? directory
        directories[directory] = place
        return place
    }
}

extension InstalledSoftware {
    /// The name of the source package, without its version.
    fileprivate var sourceName: String {
        guard let source else { return name }
        guard manager == .rpm, source.name.hasSuffix(".src.rpm") else { return source.name }
        // `name-version-release.src.rpm`
        let parts = source.name.dropLast(8).split(separator: "-", omittingEmptySubsequences: false)
        return parts.count > 2 ? parts.dropLast(2).joined(separator: "-") : name
    }
}

extension PackageDatabase {
    /// The paths of files that packages of apk own, for each package with the name of its source.
    static func apkFilesBySource(in bytes: [UInt8]) -> [(name: String, files: [String])] {
        bytes.split(separator: Array("\n\n".utf8)).compactMap { stanza in
            let stanza = Array(stanza)
            guard let package = packages(of: .apk, in: stanza).first else { return nil }
            return (package.sourceName, apkFiles(in: stanza))
        }
    }
}
