import Diagnostics
package import Inspector
import Layers
import Linux
package import OCI

/// Finds the software in an image: the databases of dpkg and apk, and which layer brought each package.
package struct SoftwareScan: Sendable {
    /// A database as layers left it.
    private struct Database: Sendable {
        let manager: InstalledSoftware.Manager
        let path: PathBytes
        /// The places of its content, each with the layer after which it was there, oldest first.
        var versions: [(layer: Int, place: ContentPlace)]
    }

    /// A larger database is refused, as it is read as a whole.
    private static let limit: Int64 = 64 << 20

    private let image: InspectedImage
    private let databases: [Database]
    private let release: ContentPlace?

    /// Finds the files; none is read.
    package init(_ image: InspectedImage) {
        self.image = image
        let last = ScopedFiles(image.tree, .after(image.tree.layerCount - 1))
        var paths: [(InstalledSoftware.Manager, PathBytes)] = [
            (.dpkg, "var/lib/dpkg/status"), (.apk, "lib/apk/db/installed"), (.apk, "usr/lib/apk/db/installed"),
        ]
        // Images without dpkg itself have a file for each package.
        if let folder = try? last.node(at: "var/lib/dpkg/status.d", followsLast: true) {
            for node in last.children(of: folder) where !image.tree.path(of: node).text.hasSuffix(".md5sums") {
                paths.append((.dpkg, image.tree.path(of: node)))
            }
        }
        var seen: Set<ContentPlace> = []
        databases = paths.compactMap { manager, path in
            let versions = Self.versions(of: path, in: image)
            // A database that is there by two paths is one.
            guard let place = versions.last?.place, seen.insert(place).inserted else { return nil }
            return Database(manager: manager, path: path, versions: versions)
        }
        release =
            ["etc/os-release", "usr/lib/os-release"].lazy
            .compactMap { Self.place(of: $0, in: last, image) }.first
    }

    /// The layers whose content must be here for ``bill(named:of:created:tool:)``.
    package var layers: Set<Int> {
        Set(databases.flatMap(\.versions).map(\.place.layer) + (release.map { [$0.layer] } ?? []))
    }

    private static func place(of path: PathBytes, in files: ScopedFiles, _ image: InspectedImage) -> ContentPlace? {
        guard let node = try? files.node(at: path, followsLast: true) else { return nil }
        return files.file(at: node).flatMap { image.place(of: $0) }
    }

    /// Nothing if the file is not there after the last layer.
    private static func versions(
        of path: PathBytes, in image: InspectedImage
    ) -> [(layer: Int, place: ContentPlace)] {
        var versions: [(layer: Int, place: ContentPlace)] = []
        for layer in 0..<image.tree.layerCount {
            guard let place = place(of: path, in: ScopedFiles(image.tree, .after(layer)), image) else {
                versions = []
                continue
            }
            if versions.last?.place != place { versions.append((layer, place)) }
        }
        return versions
    }

    /// Reads the databases.
    ///
    /// Throws ``InspectorError`` `.wrongKind` for one that is too large or is none.
    package func bill(
        named name: String, of id: Digest, created: Timestamp, tool: (name: String, version: String)
    ) throws -> BillOfMaterials {
        let places = databases.flatMap(\.versions).map(\.place) + (release.map { [$0] } ?? [])
        for place in places where image.entry(at: place).size > Self.limit {
            throw InspectorError(.wrongKind, "'/\(image.entry(at: place).path.text)' is larger than 64 MiB")
        }
        let contents = try image.beginnings(of: places, limit: Int(Self.limit))
        let items = try databases.flatMap { try self.items(of: $0, contents) }
        return BillOfMaterials(
            name: name, image: id, distribution: release.flatMap { contents[$0] }.flatMap(Distribution.init),
            items: items, created: created, tool: tool)
    }

    private func items(
        of database: Database, _ contents: [ContentPlace: [UInt8]]
    ) throws -> [BillOfMaterials.Item] {
        let lists = try database.versions.map { version in
            guard let bytes = contents[version.place] else {
                throw InspectorError(
                    .missingContent, "the content of '/\(database.path.text)' is not in the store",
                    hint: "Pull the image again.")
            }
            guard PackageDatabase.isReadable(bytes, of: database.manager) else {
                throw InspectorError(
                    .wrongKind, "'/\(database.path.text)' is no database of \(database.manager.rawValue)")
            }
            return PackageDatabase.packages(of: database.manager, in: bytes)
        }
        let origins = Self.origins(lists)
        return zip(lists.last ?? [], origins).map { software, version in
            BillOfMaterials.Item(
                software: software, path: "/" + database.path.text,
                layer: image.config.diffIDs[database.versions[version].layer])
        }
    }

    /// For each package of the last list, the first list from which on all have it.
    static func origins(_ lists: [[InstalledSoftware]]) -> [Int] {
        guard let last = lists.last else { return [] }
        let sets = lists.map(Set.init)
        return last.map { software in
            var index = lists.count - 1
            while index > 0, sets[index - 1].contains(software) { index -= 1 }
            return index
        }
    }
}
