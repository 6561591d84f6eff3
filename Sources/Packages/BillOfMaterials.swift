import Attestations
package import Inspector
package import OCI

/// The software in an image.
package struct BillOfMaterials: Hashable, Sendable {
    /// A package, with the layer that brought it.
    package struct Item: Hashable, Sendable {
        package let software: InstalledSoftware
        /// The file that names it.
        package let path: String
        /// The layer after which it stays; `nil` where that is not known.
        package let layer: DiffID?
        /// The lines of the Dockerfile that made the layer, if they are known.
        package let origin: LayerOrigin?

        package init(software: InstalledSoftware, path: String, layer: DiffID?, origin: LayerOrigin? = nil) {
            self.software = software
            self.path = path
            self.layer = layer
            self.origin = origin
        }
    }

    /// The image, as the user names it.
    package let name: String
    /// The image's ID.
    package let image: Digest
    package let distribution: Distribution?
    /// Sorted by manager, name and version.
    package let items: [Item]
    package let created: Timestamp
    /// The program that has made the list, with its version.
    package let tool: (name: String, version: String)

    package init(
        name: String, image: Digest, distribution: Distribution?, items: [Item], created: Timestamp,
        tool: (name: String, version: String)
    ) {
        self.name = name
        self.image = image
        self.distribution = distribution
        self.created = created
        self.tool = tool
        func key(_ item: Item) -> [String] {
            let software = item.software
            return [software.manager.rawValue, software.name, software.version, software.architecture, item.path]
        }
        var seen: Set<[String]> = []
        self.items = items.map { (key($0), $0) }.filter { seen.insert($0.0).inserted }
            .sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
    }

    package static func == (one: BillOfMaterials, other: BillOfMaterials) -> Bool {
        one.name == other.name && one.image == other.image && one.items == other.items
            && one.distribution == other.distribution && one.created == other.created && one.tool == other.tool
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(image)
        hasher.combine(items)
    }

    /// The package's URL, of a distribution's package with the distribution that its versions belong to.
    package func url(of software: InstalledSoftware) -> String {
        var qualifiers: [String: String] = [:]
        if !software.architecture.isEmpty { qualifiers["arch"] = software.architecture }
        if let source = software.source {
            qualifiers["upstream"] = source.name + (source.version.map { "@\($0)" } ?? "")
        }
        var version = software.version
        if software.manager.isOfSystem { qualifiers["distro"] = distribution?.label }
        if software.manager == .rpm, let colon = version.firstIndex(of: ":") {
            qualifiers["epoch"] = String(version[..<colon])
            version = String(version[version.index(after: colon)...])
        }
        return PackageURL(
            type: software.manager.urlType, path: path(of: software), version: version, qualifiers: qualifiers
        ).description
    }

    /// The parts of a package's name in its URL.
    private func path(of software: InstalledSoftware) -> [String] {
        switch software.manager {
        case .dpkg, .apk: [distribution?.id, software.name].compactMap(\.self)
        case .rpm: [distribution?.vendor, software.name].compactMap(\.self)
        case .npm, .go, .composer: software.name.split(separator: "/").map(String.init)
        case .maven: software.name.split(separator: ":").map(String.init)
        case .python, .cargo, .gem: [software.name]
        }
    }

    /// A name of an item that no other has, and that is the same in each list of the same software.
    func identifier(of item: Item) -> String {
        let software = item.software
        let text = [software.manager.rawValue, software.name, software.version, software.architecture, item.path]
        let hash = Digest(of: Array(text.joined(separator: "\n").utf8)).hex.prefix(16)
        let name = software.name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "-" }
        return "\(software.manager.urlType)-\(String(name))-\(hash)"
    }
}
