import Inspector
import Layers
import Linux

/// The comparison of the files of two finished images, in one walk over both trees.
struct FileComparison {
    private let old: ComparedImage
    private let new: ComparedImage
    /// The number of bottom layers that both images have.
    private let common: Int
    private let ignoresTimes: Bool
    private(set) var differences: [FileDifference] = []

    init(_ old: ComparedImage, _ new: ComparedImage, common: Int, ignoresTimes: Bool) {
        self.old = old
        self.new = new
        self.common = common
        self.ignoresTimes = ignoresTimes
        run()
    }

    private mutating func run() {
        let (left, right) = (old.image.tree, new.image.tree)
        var (oldNode, newNode) = (1, 1)
        // The path of a node is made of those above it, so it is made once.
        var (oldPath, newPath) = (Self.path(of: 1, in: left), Self.path(of: 1, in: right))
        while let path = Self.first(oldPath, newPath) {
            let (isOld, isNew) = (oldPath == path, newPath == path)
            compare(isOld ? oldNode : nil, isNew ? newNode : nil, at: path)
            if isOld {
                oldNode += 1
                oldPath = Self.path(of: oldNode, in: left)
            }
            if isNew {
                newNode += 1
                newPath = Self.path(of: newNode, in: right)
            }
        }
    }

    /// `nil` behind the last node.
    private static func path(of node: Int, in tree: ImageTree) -> PathBytes? {
        node < tree.count ? tree.path(of: node) : nil
    }

    /// The path that a walk comes to first.
    private static func first(_ one: PathBytes?, _ other: PathBytes?) -> PathBytes? {
        guard let one else { return other }
        guard let other else { return one }
        return other.walksBefore(one) ? other : one
    }

    private mutating func compare(_ oldNode: Int?, _ newNode: Int?, at path: PathBytes) {
        let oldFile = oldNode.flatMap { old.image.tree.file(at: $0, after: old.lastLayer) }
        let newFile = newNode.flatMap { new.image.tree.file(at: $0, after: new.lastLayer) }
        if let oldFile, oldFile == newFile, oldFile.layer < common { return }
        let before = oldNode.flatMap { Self.version(oldFile, $0, old, at: path) }
        let after = newNode.flatMap { Self.version(newFile, $0, new, at: path) }
        guard before != nil || after != nil else { return }
        var causes: [FileDifference.Cause] = []
        if let before, let after {
            causes = FileDifference.Cause.between(before.entry, after.entry)
            // A directory that no entry names has no time of its own.
            let isImplied = oldFile?.entry == nil || newFile?.entry == nil
            if ignoresTimes || isImplied { causes.removeAll { $0 == .time } }
            if causes.isEmpty { return }
        }
        let remover = after == nil ? newNode.flatMap { new.image.tree.remover(of: $0, after: new.lastLayer) } : nil
        differences.append(
            FileDifference(path: path, old: before, new: after, causes: causes, remover: remover))
    }

    private static func version(
        _ file: TreeFile?, _ node: Int, _ image: ComparedImage, at path: PathBytes
    ) -> FileDifference.Version? {
        guard let file else { return nil }
        var entry = image.image.tree.entry(of: file, at: node)
        guard entry.kind == .hardLink, let place = image.image.place(of: file) else {
            // Equal paths take their memory once.
            if entry.path == path { entry.path = path }
            return FileDifference.Version(
                entry: entry, layer: file.layer, storedSize: entry.kind == .regular ? max(0, entry.size) : 0)
        }
        return FileDifference.Version(entry: image.image.entry(at: place), layer: file.layer, storedSize: 0)
    }
}
