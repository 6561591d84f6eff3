import Layers
import Linux

/// The file system that a stack of layers makes, and what each layer holds that is no longer in it.
///
/// Bytes belong to contents, not to names: hard links of one file share a content, which is useless when its last name
/// is gone. Names are taken as they are; symbolic links in the middle of a path are not followed.
struct LiveFiles {
    /// The changes of a layer to the files below it.
    struct Changes {
        var added = FileTally()
        var changed = FileTally()
        var removed = FileTally()
    }

    struct PathWaste {
        var tally = FileTally()
        /// A bit for each ``WasteReason/slot``.
        var reasons: UInt8 = 0
    }

    private struct Content {
        let layer: Int32
        /// The entry in the layer that stores it.
        let entry: Int32
        var names: Int32
    }

    private enum Kind: UInt8 { case none, directory, symlink, other }

    private struct Name {
        var kind = Kind.none
        /// The last layer that put something at the path or below it.
        var touched: Int32 = -1
        /// The index of its content; -1 when it has none.
        var content: Int32 = -1
    }

    private struct WasteKey: Hashable {
        let holder: Int
        let cause: Int
        let reason: WasteReason
    }

    private let tree: PathTree
    /// Bottom first.
    private let lists: [PackedFileList]
    private var names: [Name]
    private var contents: [Content] = []
    /// The paths that the present layer removes, and the directories that it empties.
    private var gone: Set<Int> = []
    private var emptied: Set<Int> = []
    private var wasteByLayers: [WasteKey: FileTally] = [:]
    private(set) var wasteByPath: [Int: PathWaste] = [:]
    /// Bottom first.
    private(set) var changes: [Changes] = []
    /// The changes at every path, when they are recorded.
    private(set) var log: FileVersionLog?

    /// `recordsVersions` is for trees of files; numbers alone do without.
    init(_ tree: PathTree, _ lists: [PackedFileList], recordsVersions: Bool = false) {
        self.tree = tree
        self.lists = lists
        let count = lists.reduce(0) { $0 + $1.count }
        log = recordsVersions ? FileVersionLog(capacity: tree.count + count / 8) : nil
        names = [Name](repeating: Name(), count: tree.count)
        names[PathTree.root].kind = .directory
        contents.reserveCapacity(count)
    }

    /// In the order of holder, cause and reason.
    var waste: [Waste] {
        wasteByLayers.map { Waste(holder: $0.holder, cause: $0.cause, reason: $0.reason, files: $1) }
            .sorted { ($0.holder, $0.cause, $0.reason.slot) < ($1.holder, $1.cause, $1.reason.slot) }
    }

    /// Gives back the memory that only more layers would need; returns the log.
    mutating func finish() -> FileVersionLog? {
        names = []
        contents = []
        (gone, emptied) = ([], [])
        return log.take()
    }

    /// Puts the next layer on top.
    ///
    /// Marks come last although unpacking heeds them first: they only remove what the layer itself does not hold, and
    /// so a file that is removed and made anew counts as overwritten.
    mutating func apply(_ layer: Int) {
        let list = lists[layer]
        let nodes = tree.entries[layer]
        changes.append(Changes())
        let marks = list.indices.filter { list.kind(of: $0).isMark }
        gone = Set(marks.filter { list.kind(of: $0) == .whiteout }.map { Int(nodes[$0]) })
        emptied = Set(marks.filter { list.kind(of: $0) == .opaque }.map { Int(nodes[$0]) })
        var links: [Int] = []
        for index in list.indices {
            let path = Int(nodes[index])
            switch list.kind(of: index) {
            case .whiteout, .opaque: break
            case .hardLink: links.append(index)
            case .directory: place(.directory, at: path, entry: index)
            case .symlink: place(.symlink, at: path, entry: index)
            case .regular:
                let content = newContent(of: index)
                place(.other, at: path, entry: index, content: content, bytes: list.storedSize(of: index))
            case .characterDevice, .blockDevice, .fifo: place(.other, at: path, entry: index)
            }
        }
        for index in links { link(index, at: Int(nodes[index])) }
        for index in marks {
            let path = Int(nodes[index])
            if list.kind(of: index) == .whiteout {
                remove(path, reason: .deleted)
            } else {
                removeChildren(of: path, reason: .opaque)
            }
        }
    }

    /// Whether the present layer removes what the layers below have at the path.
    private func isMarked(_ path: Int) -> Bool {
        if gone.contains(path) { return true }
        var parent = tree.parent(of: path)
        while parent >= 0 {
            if gone.contains(parent) || emptied.contains(parent) { return true }
            parent = tree.parent(of: parent)
        }
        return false
    }

    private mutating func newContent(of entry: Int) -> Int32 {
        contents.append(
            Content(
                layer: Int32(truncatingIfNeeded: changes.count - 1), entry: Int32(truncatingIfNeeded: entry), names: 0))
        return Int32(truncatingIfNeeded: contents.count - 1)
    }

    /// Gives the content of another name to a path. The other name may itself be a link of this layer, or a file of a
    /// layer below.
    private mutating func link(_ index: Int, at path: Int) {
        let layer = changes.count - 1
        let list = lists[layer]
        func linkTarget(of entry: Int) -> PathBytes { list.entry(entry, at: PathBytes([UInt8]())).linkTarget }
        var target = tree.node(at: linkTarget(of: index))
        // As many steps as the kernel follows links, since links may form a ring.
        for _ in 0..<40 {
            guard let node = target, let other = tree.entry(at: node, of: list, in: layer),
                list.kind(of: other) == .hardLink
            else { break }
            target = tree.node(at: linkTarget(of: other))
        }
        let name = target.map { names[$0] } ?? Name()
        place(name.kind == .symlink ? .symlink : .other, at: path, entry: index, content: name.content)
    }

    /// Puts a file of the present layer at a path; `bytes` is what the layer stores for it.
    private mutating func place(_ kind: Kind, at path: Int, entry: Int, content: Int32 = -1, bytes: Int64 = 0) {
        let layer = changes.count - 1
        touch(path)
        log?.add(path, layer, entry)
        let old = names[path]
        if content >= 0 { contents[Int(content)].names += 1 }
        names[path].kind = kind
        names[path].content = content
        switch (old.kind, kind) {
        case (.none, .directory), (.directory, .directory): break
        case (.none, _), (.directory, _): changes[layer].added.add(bytes)
        case (_, .directory): changes[layer].removed.add(isLastName(of: old.content) ? size(of: old.content) : 0)
        default: changes[layer].changed.add(bytes)
        }
        let isSame = isEqual(old.content, content)
        release(old.content, reason: isSame ? .metadataOnly : .overwritten)
        let keepsChildren = kind == .directory || kind == .symlink && old.kind == .symlink
        if !keepsChildren { removeChildren(of: path, reason: .overwritten) }
    }

    /// Marks a path and those above it as present in this layer, making the directories that no entry names.
    private mutating func touch(_ path: Int) {
        let layer = Int32(truncatingIfNeeded: changes.count - 1)
        names[path].touched = layer
        var parent = tree.parent(of: path)
        while parent >= 0, names[parent].touched != layer {
            names[parent].touched = layer
            switch names[parent].kind {
            case .none:
                names[parent].kind = .directory
                log?.add(parent, Int(layer), FileVersion.impliedDirectory)
            case .directory: break
            // It may lead to a directory, and then is what the layer writes through.
            case .symlink where !isMarked(parent): break
            case .symlink, .other: place(.directory, at: parent, entry: FileVersion.impliedDirectory)
            }
            parent = tree.parent(of: parent)
        }
    }

    /// Removes what is at a path and below it, but for what this layer holds.
    private mutating func remove(_ path: Int, reason: WasteReason) {
        let layer = changes.count - 1
        var pending = [path]
        while let path = pending.popLast() {
            let name = names[path]
            // Nothing lives below what is gone.
            guard name.kind != .none else { continue }
            if Int(name.touched) != layer {
                log?.add(path, layer, FileVersion.removal)
                names[path].kind = .none
                names[path].content = -1
                if name.kind != .directory {
                    changes[layer].removed.add(isLastName(of: name.content) ? size(of: name.content) : 0)
                    release(name.content, reason: reason)
                }
            }
            for child in tree.children(of: path) { pending.append(Int(child)) }
        }
    }

    private mutating func removeChildren(of path: Int, reason: WasteReason) {
        guard tree.end(of: path) > path + 1 else { return }
        for child in tree.children(of: path) { remove(Int(child), reason: reason) }
    }

    /// Takes one name from a content, which is useless when it was the last.
    private mutating func release(_ index: Int32, reason: WasteReason) {
        guard index >= 0 else { return }
        contents[Int(index)].names -= 1
        let content = contents[Int(index)]
        let size = size(of: index)
        guard content.names == 0, size > 0 else { return }
        let key = WasteKey(holder: Int(content.layer), cause: changes.count - 1, reason: reason)
        wasteByLayers[key, default: FileTally()].add(size)
        let path = Int(tree.entries[Int(content.layer)][Int(content.entry)])
        wasteByPath[path, default: PathWaste()].tally.add(size)
        wasteByPath[path, default: PathWaste()].reasons |= 1 << reason.slot
    }

    private func isLastName(of index: Int32) -> Bool { index >= 0 && contents[Int(index)].names == 1 }

    private func size(of index: Int32) -> Int64 {
        guard index >= 0 else { return 0 }
        let content = contents[Int(index)]
        return lists[Int(content.layer)].storedSize(of: Int(content.entry))
    }

    private func isEqual(_ left: Int32, _ right: Int32) -> Bool {
        guard left >= 0, right >= 0, size(of: left) == size(of: right) else { return false }
        return hash(of: left) == hash(of: right)
    }

    private func hash(of index: Int32) -> UInt64 {
        let content = contents[Int(index)]
        return lists[Int(content.layer)].contentHash(of: Int(content.entry))
    }
}

extension LayerEntry {
    /// The bytes of content that the layer holds for this entry.
    var storedSize: Int64 { kind == .regular ? max(0, size) : 0 }
}
