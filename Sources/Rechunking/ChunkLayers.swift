import Layers
import Linux
import Trees

/// Drafts of the layers that an image is divided into.
///
/// The lowest removes what is gone of the base. Then come the chunks, with the directories on the way to their files, of
/// which new ones have no time: a chunk stays as it is when another one changes. The uppermost has all directories as
/// they are.
struct ChunkLayers {
    let top: LayerFileTree
    let base: LayerTree

    private static let noTime = FileTime(seconds: 0)
    private var parents: NewDirectory { NewDirectory(modified: Self.noTime) }

    /// The marks for files of the base that are gone; `nil` when there are none.
    func removals() throws -> LayerDraft? {
        var draft = LayerDraft(on: base)
        try MergedLayer.addRemovals(to: &draft, top.tree, base, parents)
        return draft.count > 0 ? draft : nil
    }

    /// A layer of some files.
    func chunk(of files: [FileNode]) throws -> LayerDraft {
        var draft = LayerDraft(on: base)
        let source = draft.add(top)
        var known: Set<PathBytes> = []
        for node in files {
            try putDirectories(above: node.path, into: &draft, known: &known)
            try draft.put(LayerDraft.File(node, of: source), at: node.path, parents: parents)
        }
        return draft
    }

    /// Puts the directories on the way to a file into a draft: those of the base as they are there.
    private func putDirectories(
        above path: PathBytes, into draft: inout LayerDraft, known: inout Set<PathBytes>
    ) throws {
        var missing: [PathBytes] = []
        var parent = path.parent
        while !parent.isEmpty, known.insert(parent).inserted {
            missing.append(parent)
            parent = parent.parent
        }
        for path in missing.reversed() where base.node(at: path)?.isDirectory != true {
            guard var entry = top.tree.node(at: path)?.entry.moved(to: path) else { continue }
            entry.modified = Self.noTime
            try draft.put(LayerDraft.File(entry: entry, content: .none), at: path, parents: parents)
        }
    }

    /// The directories that differ from those of the base, as they are; `nil` when there are none.
    func directories(_ nodes: [FileNode]) throws -> LayerDraft? {
        var draft = LayerDraft(on: base)
        for node in nodes where node.entry != base.node(at: node.path)?.entry {
            try draft.put(
                LayerDraft.File(entry: node.entry.moved(to: node.path), content: .none), at: node.path,
                parents: parents)
        }
        return draft.count > 0 ? draft : nil
    }
}
