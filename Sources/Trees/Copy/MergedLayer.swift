import Layers
import Linux

/// One layer that makes of a tree of files what several layers make of it.
package enum MergedLayer {
    /// `top` are the files above the layers that are put together, `base` those below them.
    package static func draft(of top: LayerFileTree, on base: LayerTree) throws -> LayerDraft {
        var draft = LayerDraft(on: base)
        let source = draft.add(top)
        let parents = NewDirectory(modified: FileTime(seconds: 0))
        if let root = try top.node(at: "") {
            try top.walk(below: root) { node in
                if !node.isImplied, isChanged(node, since: base.node(at: node.path)) {
                    try draft.put(LayerDraft.File(node, of: source), at: node.path, parents: parents)
                }
                return true
            }
        }
        try addRemovals(to: &draft, top.tree, base, parents)
        return draft
    }

    /// Whether a layer above the base has put the file there, even one that is the same.
    package static func isChanged(_ node: FileNode, since below: FileNode?) -> Bool {
        guard let below else { return true }
        guard node.entry == below.entry else { return true }
        guard case .layer(let layer, let path) = node.origin, case .layer(let other, let place) = below.origin else {
            return true
        }
        return layer != other || path != place
    }

    /// Adds a whiteout for each file of the base that is gone, and none below a directory that is gone as a whole.
    package static func addRemovals(
        to draft: inout LayerDraft, _ top: LayerTree, _ base: LayerTree, _ parents: NewDirectory
    ) throws {
        var pending = base.children(of: "")
        while let node = pending.popLast() {
            guard let above = top.node(at: node.path) else {
                let entry = LayerEntry(path: node.path, kind: .whiteout)
                try draft.put(LayerDraft.File(entry: entry, content: .none), at: node.path, parents: parents)
                continue
            }
            // A file in the place of a directory hides all that was in it.
            if above.isDirectory { pending += base.children(of: node.path) }
        }
    }
}
