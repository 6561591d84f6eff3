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
        while oldNode < left.count || newNode < right.count {
            guard oldNode < left.count else {
                compare(nil, newNode)
                newNode += 1
                continue
            }
            guard newNode < right.count else {
                compare(oldNode, nil)
                oldNode += 1
                continue
            }
            let (oldPath, newPath) = (left.path(of: oldNode), right.path(of: newNode))
            if oldPath == newPath {
                compare(oldNode, newNode)
                oldNode += 1
                newNode += 1
            } else if oldPath.walksBefore(newPath) {
                compare(oldNode, nil)
                oldNode += 1
            } else {
                compare(nil, newNode)
                newNode += 1
            }
        }
    }

    private mutating func compare(_ oldNode: Int?, _ newNode: Int?) {
        let oldFile = oldNode.flatMap { old.image.tree.file(at: $0, after: old.lastLayer) }
        let newFile = newNode.flatMap { new.image.tree.file(at: $0, after: new.lastLayer) }
        if let oldFile, oldFile == newFile, oldFile.layer < common { return }
        let before = oldNode.flatMap { Self.version(oldFile, $0, old) }
        let after = newNode.flatMap { Self.version(newFile, $0, new) }
        guard before != nil || after != nil else { return }
        var causes: [FileDifference.Cause] = []
        if let before, let after {
            causes = FileDifference.Cause.between(before.entry, after.entry)
            // A directory that no entry names has no time of its own.
            let isImplied = oldFile?.entry == nil || newFile?.entry == nil
            if ignoresTimes || isImplied { causes.removeAll { $0 == .time } }
            if causes.isEmpty { return }
        }
        let path = oldNode.map { old.image.tree.path(of: $0) } ?? newNode.map { new.image.tree.path(of: $0) }
        let remover = after == nil ? newNode.flatMap { new.image.tree.remover(of: $0, after: new.lastLayer) } : nil
        differences.append(
            FileDifference(path: path ?? "", old: before, new: after, causes: causes, remover: remover))
    }

    private static func version(_ file: TreeFile?, _ node: Int, _ image: ComparedImage) -> FileDifference.Version? {
        guard let file else { return nil }
        let entry = image.image.tree.entry(of: file, at: node)
        guard entry.kind == .hardLink, let place = image.image.place(of: file) else {
            return FileDifference.Version(
                entry: entry, layer: file.layer, storedSize: entry.kind == .regular ? max(0, entry.size) : 0)
        }
        return FileDifference.Version(entry: image.image.entry(at: place), layer: file.layer, storedSize: 0)
    }
}
