import Diagnostics
package import Inspector
import Layers
import Linux
package import OCI

/// Finds the software in an image: the files that name packages, and which layer brought each package.
package struct SoftwareScan: Sendable {
    /// A file as layers left it.
    private struct Database: Sendable {
        let evidence: Evidence
        /// Its contents, each with the layer after which it was there, oldest first.
        let versions: [(layer: Int, content: EvidenceContent)]
    }

    private let image: InspectedImage
    private let databases: [Database]
    private let release: ContentPlace?
    /// The lists of files that packages of dpkg own, each with the name of its package.
    private let lists: [ContentPlace: String]

    /// Finds the files; none is read.
    package init(_ image: InspectedImage) {
        self.image = image
        let top = image.tree.layerCount - 1
        let last = ScopedFiles(image.tree, .after(top))
        databases = EvidenceSearch.evidence(in: image, after: top).map { evidence in
            Database(evidence: evidence, versions: Self.versions(of: evidence, in: image))
        }
        release =
            ["etc/os-release", "usr/lib/os-release"].lazy
            .compactMap { EvidenceContent($0, in: last, of: image)?.file }.first
        var lists: [ContentPlace: String] = [:]
        // Needed only to tell what languages have from what the distribution has.
        if databases.contains(where: { !$0.evidence.kind.isOfSystem }),
            let folder = try? last.node(at: "var/lib/dpkg/info", followsLast: true)
        {
            for node in last.children(of: folder) {
                let name = image.tree.path(of: node).lastComponent.text
                guard name.hasSuffix(".list"), let file = last.file(at: node), let place = image.place(of: file) else {
                    continue
                }
                lists[place] = String(name.dropLast(5).prefix { $0 != ":" })
            }
        }
        self.lists = lists
    }

    /// The layers whose content must be here for ``bill(named:of:created:tool:origins:)``.
    package var layers: Set<Int> {
        Set(
            databases.flatMap(\.versions).flatMap(\.content.places).map(\.layer) + lists.keys.map(\.layer)
                + (release.map { [$0.layer] } ?? []))
    }

    private static func versions(
        of evidence: Evidence, in image: InspectedImage
    ) -> [(layer: Int, content: EvidenceContent)] {
        var versions: [(layer: Int, content: EvidenceContent)] = []
        for layer in 0..<image.tree.layerCount {
            let files = ScopedFiles(image.tree, .after(layer))
            let content =
                // The way to a database may be a link that an upper layer makes.
                evidence.kind.isOfSystem
                ? EvidenceContent(evidence.path, in: files, of: image)
                : files.file(at: evidence.node).flatMap {
                    EvidenceContent($0, at: evidence.node, in: files, of: image)
                }
            guard let content else {
                versions = []
                continue
            }
            if versions.last?.content != content { versions.append((layer, content)) }
        }
        return versions
    }

    /// Reads the files. `origins` are the lines of the Dockerfile, by layer, as far as they are known.
    ///
    /// Throws ``PackagesError`` for a database of a distribution that is too large or cannot be read.
    package func bill(
        named name: String, of id: Digest, created: Timestamp, tool: (name: String, version: String),
        origins: [LayerOrigin?] = []
    ) throws -> BillOfMaterials {
        var packages: [EvidenceContent: [InstalledSoftware]] = [:]
        var owned: Set<String> = []
        let paths = Set(databases.filter { !$0.evidence.kind.isOfSystem }.map { "/" + $0.evidence.path.text })
        var wanted: [EvidenceContent: Evidence] = [:]
        for database in databases { for version in database.versions { wanted[version.content] = database.evidence } }
        let last = Set(databases.compactMap(\.versions.last?.content))
        try EvidenceReader(image: image).read(wanted) { content, evidence, bytes in
            do {
                packages[content] = try evidence.packages(in: bytes)
                guard last.contains(content), !paths.isEmpty else { return }
                owned.formUnion(try evidence.ownedFiles(in: bytes).filter(paths.contains))
            } catch let error as PackagesError { throw error.named(evidence.path) }
        }
        owned.formUnion(try filesOfDebian(among: paths, packages))
        let items = databases.flatMap { database -> [BillOfMaterials.Item] in
            let isOwned = !database.evidence.kind.isOfSystem && owned.contains("/" + database.evidence.path.text)
            return isOwned ? [] : self.items(of: database, packages, origins)
        }
        return BillOfMaterials(
            name: name, image: id, distribution: try distribution(), items: items, created: created, tool: tool)
    }

    private func distribution() throws -> Distribution? {
        guard let release else { return nil }
        return Distribution(osRelease: try image.beginning(of: release, limit: 64 << 10))
    }

    /// The paths among these that packages of dpkg own. What comes from others than the distribution is listed as well.
    private func filesOfDebian(
        among paths: Set<String>, _ packages: [EvidenceContent: [InstalledSoftware]]
    ) throws -> Set<String> {
        guard !lists.isEmpty, !paths.isEmpty else { return [] }
        let foreign = Set(
            packages.values.joined().filter { $0.manager == .dpkg && $0.isForeign }.map(\.name))
        var owned: Set<String> = []
        let wanted = lists.filter { !foreign.contains($0.value) }.map(\.key)
        try image.forEachContent(of: wanted, limit: 16 << 20) { _, _ in
            true
        } body: { _, bytes in
            for line in (bytes ?? []).split(separator: UInt8(ascii: "\n")) where line.count < 4096 {
                let path = String(decoding: line, as: UTF8.self)
                if paths.contains(path) { owned.insert(path) }
            }
        }
        return owned
    }

    private func items(
        of database: Database, _ packages: [EvidenceContent: [InstalledSoftware]], _ origins: [LayerOrigin?]
    ) -> [BillOfMaterials.Item] {
        let lists = database.versions.map { packages[$0.content] ?? [] }
        let diffIDs = image.config.diffIDs
        return zip(lists.last ?? [], Self.origins(lists)).map { software, version in
            let layer = database.versions[version].layer
            return BillOfMaterials.Item(
                software: software, path: "/" + database.evidence.path.text,
                layer: diffIDs.indices.contains(layer) ? diffIDs[layer] : nil,
                origin: origins.indices.contains(layer) ? origins[layer] : nil)
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

extension InstalledSoftware {
    /// Whether a package of a distribution's manager comes from someone else, who does not look after the software of
    /// languages in it.
    fileprivate var isForeign: Bool {
        guard let maintainer = maintainer?.lowercased() else { return false }
        return Self.foreignMaintainers.contains { maintainer.contains($0) }
    }

    private static let foreignMaintainers = [
        "@docker.com", "@google.com", "@hashicorp.com", "@microsoft.com", "@mongodb.com", "@nodesource.com",
        "@nvidia.com", "@github.com", "@gitlab.com", "@grafana.com", "@elastic.co", "@datadoghq.com", "@influxdata.com",
        "@oracle.com", "@yarnpkg.com", "@sury.org", "@postgresql.org", "@nginx.com", "@zabbix.com", "@puppet.com",
    ]
}
