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
        // Once said whether --link was given, which makes no difference any more.
        add(false)
        add(copy.archives == .unpack)
        if copy.archives == .unpackAll { add("unpack") }
        if copy.keepsParents { add("parents/2") }
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

    /// The files that a source word selects in a tree: names, metadata, bytes and which of them are one file, but not
    /// times.
    package mutating func add(contentOf matches: [SourceMatch], in tree: any FileTree, excludes: IgnoreRules) throws {
        add(matches.count)
        for match in matches {
            if match.node.isDirectory, match.selection != nil {
                try add(selectionOf: match, in: tree, excludes: excludes)
                continue
            }
            add(match.name.bytes)
            let tree = excludes.isEmpty && match.node.isDirectory ? tree.forWalk() : tree
            var walk = KeyWalk(top: match.node.path, reached: match.reached, excludes: excludes)
            try add(match.node, in: tree, &walk)
        }
    }

    /// The part of a tree that a mount shows: the file, or the directory with all below it, by names, metadata and
    /// bytes. `reached` is its path as the mount names it.
    package mutating func add(contentOf node: FileNode, reached: PathBytes, in tree: any FileTree) throws {
        // The root of a context is not the user's, but of a directory in it the mode is seen.
        let hasMode = node.isDirectory && !node.path.isEmpty
        var walk = KeyWalk(top: node.path, reached: reached, excludes: try IgnoreRules(patterns: []))
        walk.metadataOfTop = hasMode ? .mode : .none
        try add(node, in: tree.forWalk(), &walk)
        if hasMode { add(node.entry.permissions) }
    }

    private mutating func add(_ top: FileNode, in tree: any FileTree, _ walk: inout KeyWalk) throws {
        try add(fileOnly: top, in: tree, &walk)
        guard top.isDirectory else { return }
        var open = [try tree.contents(of: top)]
        while !open.isEmpty {
            guard let child = try open[open.count - 1].popFirst() else {
                open.removeLast()
                add("end")
                continue
            }
            let isExcluded = walk.excludes.ignores(child.path.bytes(below: walk.top))
            if isExcluded, !child.isDirectory || !walk.excludes.hasExceptions { continue }
            try add(fileOnly: child, in: tree, &walk)
            guard child.isDirectory else { continue }
            guard child.path.depth < PathBytes.depthLimit else { throw TreesError.tooDeep }
            open.append(try tree.contents(of: child))
        }
    }

    /// Adds a file, but not what is in a directory.
    private mutating func add(fileOnly node: FileNode, in tree: any FileTree, _ walk: inout KeyWalk) throws {
        let isTop = node.path == walk.top
        if !isTop { add(node.path.lastComponent.bytes) }
        add(node.entry.kind.rawValue)
        // Of the directory that is copied itself only the content counts.
        let countsMetadata = !isTop || !node.isDirectory
        if countsMetadata { add(metadataOf: node.entry) }
        let digest = node.entry.kind == .regular ? try tree.contentDigest(of: node) : []
        if node.entry.kind == .regular { add(digest) }
        let path = walk.path(of: node)
        note(
            node, at: path, digest, leadsTo: isTop && path != node.path ? node.path : nil, &walk.links,
            metadata: countsMetadata ? .all : walk.metadataOfTop)
    }

    /// All that `COPY --parents` makes of a directory of the source: with what is selected the directories on the way.
    private mutating func add(selectionOf match: SourceMatch, in tree: any FileTree, excludes: IgnoreRules) throws {
        add("selection")
        var links: [LinkIdentity: PathBytes] = [:]
        files?.append(match.node, digest: [], at: match.reached, metadata: .none)
        try CopyWalk(match, in: tree, excludes: excludes).visit { item, onTheWay in
            for directory in onTheWay {
                add("directory")
                add(directory.path.bytes)
                add(metadataOf: directory.node.entry)
                note(directory.node, at: match.reached.appending(directory.path), [], leadsTo: nil, &links)
            }
            let node = item.node
            add("file")
            add(item.path.bytes)
            add(node.entry.kind.rawValue)
            add(metadataOf: node.entry)
            let digest = node.entry.kind == .regular ? try tree.contentDigest(of: node) : []
            add(digest)
            note(node, at: match.reached.appending(item.path), digest, leadsTo: nil, &links)
        }
        add("end")
    }

    private mutating func add(metadataOf entry: LayerEntry) {
        add(entry.permissions)
        add(entry.owner)
        add(entry.group)
        add(entry.linkTarget.bytes)
        add(entry.deviceMajor)
        add(entry.deviceMinor)
        for attribute in entry.attributes {
            add(attribute.name.bytes)
            add(attribute.value)
        }
    }

    /// Hashes which file of the copy a file is another name of, and lists the file for explanations.
    ///
    /// `links` are the files with several names, by the first one of them. Nothing is hashed where there is only one, so
    /// that the keys of files without hard links are what they always were.
    private mutating func note(
        _ node: FileNode, at path: PathBytes, _ digest: [UInt8], leadsTo target: PathBytes?,
        _ links: inout [LinkIdentity: PathBytes], metadata: FileListing.CountedMetadata = .all
    ) {
        var first: PathBytes?
        if let identity = node.linkIdentity {
            first = links[identity]
            if let first {
                add("hard link")
                add(first.bytes)
            } else {
                links[identity] = path
            }
        }
        files?.append(node, digest: digest, at: path, leadsTo: target, hardLink: first, metadata: metadata)
    }
}

/// A walk through a file or a directory for its key.
private struct KeyWalk {
    let top: PathBytes
    let reached: PathBytes
    let excludes: IgnoreRules
    /// The metadata that counts of a directory that the walk begins with.
    var metadataOfTop = FileListing.CountedMetadata.none
    var links: [LinkIdentity: PathBytes] = [:]

    /// The path as the source reaches it.
    func path(of node: FileNode) -> PathBytes {
        top == reached ? node.path : reached.appending(PathBytes(node.path.bytes(below: top)))
    }
}

extension CopyOperation {
    /// The flags that are on or off.
    fileprivate var flags: [String] {
        let unpack: String? = archives == .unpackAll ? "--unpack" : nil
        return [keepsParents ? "--parents" : nil, unpack].compactMap(\.self)
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
