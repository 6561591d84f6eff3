import Diagnostics
import Layers
package import Linux

/// The records of package managers in an image after a layer.
///
/// The formats of dpkg and apk are read; distributions of Python are known by the names of their directories.
package struct PackageRecords: Sendable {
    /// A file with the records of dpkg or apk.
    package struct Database: Hashable, Sendable {
        package let manager: InstalledPackage.Manager
        package let path: PathBytes
        package let place: ContentPlace
    }

    /// A larger database is refused, as it is read as a whole.
    private static let limit: Int64 = 64 << 20

    private let image: InspectedImage
    private let layer: Int
    package let databases: [Database]

    /// Finds the records; `layer` is the index of the last layer that counts.
    package init(_ image: InspectedImage, after layer: Int) {
        self.image = image
        self.layer = layer
        var databases: [Database] = []
        let files = ScopedFiles(image.tree, .after(layer))
        func add(_ manager: InstalledPackage.Manager, _ node: Int) {
            guard let file = files.file(at: node), let place = image.place(of: file) else { return }
            databases.append(Database(manager: manager, path: image.tree.path(of: node), place: place))
        }
        for (manager, path) in [
            (InstalledPackage.Manager.dpkg, "var/lib/dpkg/status"), (.apk, "lib/apk/db/installed"),
        ] {
            if let node = try? files.node(at: PathBytes(path), followsLast: true) { add(manager, node) }
        }
        // Images without dpkg itself have a file for each package.
        if let folder = image.tree.node(at: "var/lib/dpkg/status.d") {
            for node in files.children(of: folder) where !image.tree.path(of: node).text.hasSuffix(".md5sums") {
                add(.dpkg, node)
            }
        }
        self.databases = databases
    }

    /// Whether equal packages are recorded, as far as that is known without reading a database.
    package func isEqual(to other: PackageRecords) -> Bool {
        func contents(_ records: PackageRecords) -> [[UInt64]] {
            records.databases.map { database in
                let entry = records.image.entry(at: database.place)
                return [entry.contentHash, UInt64(bitPattern: entry.size)]
            }
        }
        return databases.map(\.path) == other.databases.map(\.path) && contents(self) == contents(other)
            && pythonPackages() == other.pythonPackages()
    }

    /// All packages, those of one manager in the order of its records.
    ///
    /// Throws ``InspectorError`` when a database is not there or too large.
    package func packages() throws -> [InstalledPackage] {
        var packages: [InstalledPackage] = []
        let wanted = databases.map(\.place)
        for database in databases where image.entry(at: database.place).size > Self.limit {
            throw InspectorError(.wrongKind, "'/\(database.path.text)' is larger than 64 MiB")
        }
        let contents = try image.beginnings(of: wanted, limit: Int(Self.limit))
        for database in databases {
            guard let bytes = contents[database.place] else {
                throw InspectedImage.missing(database.path, database.place.layer)
            }
            packages += PackageListParser.packages(of: database.manager, in: bytes)
        }
        return packages + pythonPackages()
    }

    /// The directories `NAME-VERSION.dist-info` that are in a directory for packages.
    private func pythonPackages() -> [InstalledPackage] {
        let tree = image.tree
        let suffix = Array(".dist-info".utf8)
        let parents = [Array("site-packages".utf8), Array("dist-packages".utf8)]
        return (1..<max(1, tree.count)).compactMap { node in
            let name = tree.name(of: node)
            guard name.count > suffix.count, name.suffix(suffix.count) == suffix[...],
                parents.contains(Array(tree.name(of: tree.parent(of: node)))),
                let file = tree.file(at: node, after: layer), tree.entry(of: file, at: node).kind == .directory
            else { return nil }
            let parts = name.dropLast(suffix.count).split(separator: UInt8(ascii: "-"), maxSplits: 1)
            guard parts.count == 2 else { return nil }
            return InstalledPackage(
                manager: .python, name: String(decoding: parts[0], as: UTF8.self),
                version: String(decoding: parts[1], as: UTF8.self))
        }
    }
}
