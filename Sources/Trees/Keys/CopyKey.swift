package import DockerfileSyntax
package import Graph
import Layers
package import Linux

extension KeyHasher {
    /// The part of a copy's key that stands in the Dockerfile: how, not what.
    package mutating func add(definitionOf copy: CopyOperation) {
        add(copy.destination, as: .destination)
        add(copy.owner, as: .owner)
        add(copy.mode?.text, as: .mode)
        add(copy.excludes, as: .excludes)
        add(copy.keepsParents)
        add(copy.isLinked)
        add(copy.archives == .unpack)
        if copy.archives == .unpackAll { add("unpack") }
        note(.flags, copy.flags)
        note(.words, copy.words)
        note(.inline, copy.contents)
        for source in copy.sources {
            switch source {
            case .path(let word, _):
                // A renamed directory makes no difference to a file whose own name stays.
                add("path")
                add(PathBytes(word).lastComponent.bytes)
            case .inline(let file):
                add("inline")
                add(file.name)
                add(file.content)
            }
        }
    }

    /// The files that a source word selects in a tree: names, metadata and bytes, but not times.
    package mutating func add(contentOf matches: [SourceMatch], in tree: any FileTree, excludes: IgnoreRules) throws {
        add(matches.count)
        for match in matches {
            add(match.keptPath?.bytes ?? match.name.bytes)
            let tree = excludes.isEmpty && match.node.isDirectory ? tree.forWalk() : tree
            try add(match.node, top: match.node.path, in: tree, excludes: excludes)
        }
    }

    /// The part of a tree that a mount shows: the file, or the directory with all below it, by names, metadata and
    /// bytes.
    package mutating func add(contentOf node: FileNode, in tree: any FileTree) throws {
        try add(node, top: node.path, in: tree.forWalk(), excludes: IgnoreRules(patterns: []))
        // The root of a context is not the user's, but of a directory in it the mode is seen.
        if node.isDirectory, !node.path.isEmpty { add(node.entry.permissions) }
    }

    private mutating func add(
        _ node: FileNode, top: PathBytes, in tree: any FileTree, excludes: IgnoreRules
    ) throws {
        let isTop = node.path == top
        if !isTop { add(node.path.lastComponent.bytes) }
        add(node.entry.kind.rawValue)
        // Of the directory that is copied itself only the content counts.
        if !isTop || !node.isDirectory {
            add(node.entry.permissions)
            add(node.entry.owner)
            add(node.entry.group)
            add(node.entry.linkTarget.bytes)
            add(node.entry.deviceMajor)
            add(node.entry.deviceMinor)
            for attribute in node.entry.attributes {
                add(attribute.name.bytes)
                add(attribute.value)
            }
        }
        let digest = node.entry.kind == .regular ? try tree.contentDigest(of: node) : []
        if node.entry.kind == .regular { add(digest) }
        if !isTop || !node.isDirectory { files?.append(node, digest: digest) }
        guard node.isDirectory else { return }
        for child in try tree.children(of: node) {
            let isExcluded = excludes.ignores(child.path.bytes(below: top))
            if isExcluded, !child.isDirectory || !excludes.hasExceptions { continue }
            try add(child, top: top, in: tree, excludes: excludes)
        }
        add("end")
    }
}

extension CopyOperation {
    /// The flags that are on or off.
    fileprivate var flags: [String] {
        let unpack: String? = archives == .unpackAll ? "--unpack" : nil
        return [keepsParents ? "--parents" : nil, isLinked ? "--link" : nil, unpack].compactMap(\.self)
    }

    /// The contents of here-documents.
    fileprivate var contents: [String] {
        sources.compactMap {
            if case .inline(let file) = $0 { String(decoding: file.content, as: UTF8.self) } else { nil }
        }
    }

    /// The names of the sources as written.
    fileprivate var words: [String] {
        sources.map { source in
            switch source {
            case .path(let word, _): word
            case .inline(let file): "<<\(file.name)"
            }
        }
    }
}

extension PathBytes {
    /// The part of the path below a directory it is in.
    package func bytes(below directory: PathBytes) -> [UInt8] {
        directory.isEmpty ? bytes : Array(bytes.dropFirst(directory.bytes.count + 1))
    }
}
