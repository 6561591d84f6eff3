package import Inspector
import Layers
package import Linux

/// A file of an image that names packages.
package struct Evidence: Hashable, Sendable {
    package enum Kind: Hashable, Sendable, CaseIterable {
        case dpkg, apk, rpm
        case python, npm, gem, composer
        /// An archive of Java.
        case java
        /// A program, in which Go or Rust may have noted what it was built from.
        case program

        /// Whether it is the database of a distribution: one that cannot be read is an error.
        var isOfSystem: Bool { [.dpkg, .apk, .rpm].contains(self) }

        /// A larger file is refused, or passed over if it is none of the distribution's.
        var limit: Int {
            switch self {
            case .dpkg, .apk: 64 << 20
            case .rpm, .java, .program: 256 << 20
            case .python, .npm, .gem, .composer: 16 << 20
            }
        }
    }

    package let kind: Kind
    package let path: PathBytes
    /// Its node in the tree of files.
    package let node: Int
    package let place: ContentPlace
}

/// Finds the files that name packages. None is read.
struct EvidenceSearch {
    private let image: InspectedImage
    private let layer: Int
    private var found: [Evidence] = []
    private var places: Set<ContentPlace> = []

    /// A program of Go or of Rust's standard library is larger.
    private static let programSize: Int64 = 64 << 10

    /// The files that are there after a layer, those of distributions first.
    static func evidence(in image: InspectedImage, after layer: Int) -> [Evidence] {
        var search = EvidenceSearch(image: image, layer: layer)
        search.findDatabases()
        search.findFiles()
        return search.found
    }

    private init(image: InspectedImage, layer: Int) {
        self.image = image
        self.layer = layer
    }

    private mutating func add(_ kind: Evidence.Kind, _ node: Int, path: PathBytes? = nil) {
        // A file that is there by two paths is one.
        guard let file = image.tree.file(at: node, after: layer), let place = image.place(of: file),
            kind.isOfSystem || image.entry(at: place).size <= kind.limit, places.insert(place).inserted
        else { return }
        found.append(Evidence(kind: kind, path: path ?? image.tree.path(of: node), node: node, place: place))
    }

    private mutating func findDatabases() {
        let files = ScopedFiles(image.tree, .after(layer))
        var paths: [(Evidence.Kind, String)] = [
            (.dpkg, "var/lib/dpkg/status"), (.apk, "lib/apk/db/installed"), (.apk, "usr/lib/apk/db/installed"),
        ]
        for folder in ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"] {
            paths += ["rpmdb.sqlite", "Packages.db", "Packages"].map { (.rpm, "\(folder)/\($0)") }
        }
        for (kind, path) in paths {
            guard let node = try? files.node(at: PathBytes(path), followsLast: true) else { continue }
            add(kind, node, path: PathBytes(path))
        }
        // Images without dpkg itself have a file for each package.
        if let folder = try? files.node(at: "var/lib/dpkg/status.d", followsLast: true) {
            for node in files.children(of: folder) where !image.tree.path(of: node).text.hasSuffix(".md5sums") {
                add(.dpkg, node)
            }
        }
    }

    private mutating func findFiles() {
        let tree = image.tree
        for node in 1..<max(1, tree.count) {
            guard let file = tree.file(at: node, after: layer), file.entry != nil else { continue }
            let entry = tree.entry(of: file, at: node)
            guard entry.kind == .regular || entry.kind == .hardLink, let kind = kind(of: node, file) else { continue }
            add(kind, node)
        }
    }

    private func kind(of node: Int, _ file: TreeFile) -> Evidence.Kind? {
        let tree = image.tree
        let name = tree.name(of: node)
        func parent() -> ArraySlice<UInt8> { tree.name(of: tree.parent(of: node)) }
        func ends(_ name: ArraySlice<UInt8>, _ suffix: String) -> Bool {
            name.count > suffix.utf8.count && name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        }
        if name.elementsEqual("METADATA".utf8), ends(parent(), ".dist-info") || ends(parent(), ".egg-info") {
            return .python
        }
        if name.elementsEqual("PKG-INFO".utf8), ends(parent(), ".egg-info") || parent().elementsEqual("EGG-INFO".utf8) {
            return .python
        }
        if ends(name, ".egg-info") { return .python }
        if name.elementsEqual("package.json".utf8) { return NodePackage.isRoot(tree.path(of: node)) ? .npm : nil }
        if ends(name, ".gemspec") { return tree.path(of: node).components.contains("specifications") ? .gem : nil }
        if name.elementsEqual("installed.json".utf8) { return .composer }
        if name.count > 4, JavaArchive.isArchive(String(decoding: name, as: UTF8.self)) { return .java }
        guard let place = image.place(of: file) else { return nil }
        let entry = image.entry(at: place)
        return entry.permissions & 0o111 != 0 && entry.size >= Self.programSize ? .program : nil
    }
}
