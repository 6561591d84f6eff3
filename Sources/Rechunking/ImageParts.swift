import Layers
import Linux
import Trees

/// The files that an image has above its base, with the part that each belongs to.
struct ImageParts {
    private(set) var parts: [ImagePart] = []
    /// All that is no directory, in the order of a layer.
    private(set) var files: [(node: FileNode, part: Int)] = []
    private(set) var directories: [FileNode] = []

    /// - Parameters:
    ///   - top: the files of the image.
    ///   - base: the files of the layers below those that are divided.
    ///   - owners: the packages that own files, by path; see `PackageFiles`.
    /// - Throws: `TreesError` when a directory of the tree cannot be read.
    init(_ top: LayerFileTree, on base: LayerTree, owners: [PathBytes: String]) throws {
        var numbers: [ImagePart: Int] = [:]
        // All names of one file are in one layer.
        var linked: [LinkIdentity: Int] = [:]
        guard let root = try top.node(at: "") else { return }
        try top.walk(below: root) { node in
            guard !node.isDirectory else {
                directories.append(node)
                return true
            }
            guard MergedLayer.isChanged(node, since: base.node(at: node.path)) else { return true }
            let part: Int
            if let identity = node.linkIdentity, let known = linked[identity] {
                part = known
            } else {
                let name = owners[node.path]
                let new = ImagePart(name: name ?? Self.directory(of: node.path), isPackage: name != nil)
                part = numbers[new] ?? parts.count
                if part == parts.count {
                    numbers[new] = part
                    parts.append(new)
                }
                if let identity = node.linkIdentity { linked[identity] = part }
            }
            parts[part].bytes = parts[part].bytes.addingReportingOverflow(node.entry.size).partialValue
            parts[part].newest = max(parts[part].newest, node.entry.modified.seconds)
            files.append((node, part))
            return true
        }
    }

    /// Notes for each part the chunk of a former image that has most of its bytes.
    ///
    /// `chunks` has the number of the chunk for each layer of that image that is one.
    mutating func compare(with former: LayerTree, chunks: [Int: Int]) {
        var sizes = Array(repeating: [Int: Int64](), count: parts.count)
        for (node, part) in files {
            guard case .layer(let layer, _)? = former.node(at: node.path)?.origin, let chunk = chunks[layer] else {
                continue
            }
            // Empty files and links count, too.
            sizes[part][chunk, default: 0] &+= node.entry.size &+ 1
        }
        for part in parts.indices {
            parts[part].former = sizes[part].max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        }
    }

    /// The directory that stands for a file without a package: one at the top, two levels in those that hold many things.
    private static func directory(of path: PathBytes) -> String {
        let components = path.parent.components
        guard let first = components.first else { return "/" }
        let holdsMany = ["usr", "var", "opt", "home", "srv"].contains(first.text)
        return "/" + components.prefix(holdsMany ? 2 : 1).map(\.text).joined(separator: "/")
    }
}
