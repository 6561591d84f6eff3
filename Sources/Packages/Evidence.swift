import Inspector
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
    let content: EvidenceContent
}

/// The place of the bytes of a file that names packages.
struct EvidenceContent: Hashable {
    let file: ContentPlace
    /// The place of the write-ahead log beside a database of SQLite; `nil` when there is none, or an empty one.
    let log: ContentPlace?

    /// `nil` for what is no regular file.
    init?(_ file: TreeFile, at node: Int, in files: ScopedFiles, of image: InspectedImage) {
        guard let place = image.place(of: file) else { return nil }
        self.file = place
        let path = files.tree.path(of: node)
        guard path.bytes.suffix(7).elementsEqual(".sqlite".utf8),
            let beside = files.tree.node(at: PathBytes(path.bytes + Array(SQLiteLog.suffix.utf8))),
            let log = files.file(at: beside).flatMap(image.place), image.entry(at: log).size > SQLiteLog.headerSize
        else {
            self.log = nil
            return
        }
        self.log = log
    }

    /// The content of the file that a path leads to, links followed; `nil` when there is none.
    init?(_ path: PathBytes, in files: ScopedFiles, of image: InspectedImage) {
        guard let node = try? files.node(at: path, followsLast: true), let file = files.file(at: node) else {
            return nil
        }
        self.init(file, at: node, in: files, of: image)
    }

    var places: [ContentPlace] { [file] + [log].compactMap(\.self) }
}

/// Finds the files that name packages. None is read.
struct EvidenceSearch {
    private let image: InspectedImage
    private let files: ScopedFiles
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
        files = ScopedFiles(image.tree, .after(layer))
    }

    private mutating func add(_ kind: Evidence.Kind, _ node: Int, path: PathBytes? = nil) {
        // A file that is there by two paths is one.
        guard let file = files.file(at: node),
            let content = EvidenceContent(file, at: node, in: files, of: image),
            kind.isOfSystem || image.entry(at: content.file).size <= kind.limit, places.insert(content.file).inserted
        else { return }
        found.append(Evidence(kind: kind, path: path ?? image.tree.path(of: node), node: node, content: content))
    }

    private mutating func findDatabases() {
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
