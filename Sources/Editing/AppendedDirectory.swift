import Layers
package import Linux
package import Trees

/// The layer that puts the files of a directory into an image. They belong to root, as with COPY.
package enum AppendedDirectory {
    /// `destination` is relative to the root. Links of the image on the way are followed.
    package static func draft(
        of files: any FileTree, on base: LayerTree, at destination: PathBytes, time: FileTime
    ) throws -> LayerDraft {
        var draft = LayerDraft(on: base)
        let source = draft.add(files)
        let parents = NewDirectory(modified: time)
        guard let root = try files.node(at: "") else { return draft }
        try files.walk(below: root) { node in
            let wanted = destination.appending(node.path)
            let parent = try draft.resolve(wanted.parent)
            let path = parent.appending(wanted.lastComponent)
            // A directory that is there, or a link to one, stays as it is.
            if node.isDirectory, try draft.entry(at: draft.resolve(path))?.kind == .directory { return true }
            let link = node.linkIdentity.map { CopyLink(copy: 0, identity: $0) }
            let isFile = node.entry.kind == .regular
            try draft.put(
                LayerDraft.File(
                    entry: node.entry.moved(to: path), content: isFile ? .file(node, source) : .none, link: link),
                at: path, parents: parents)
            return true
        }
        return draft
    }
}
