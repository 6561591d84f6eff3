import Layers

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
        let layer: Int
        /// The path in the layer that stores it.
        let path: Int
        let size: Int64
        let hash: UInt64
        var names: Int
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
    private var names: [Name]
    private var contents: [Content] = []
    /// The paths that the present layer removes, and the directories that it empties.
    private var gone: Set<Int> = []
    private var emptied: Set<Int> = []
    private var wasteByLayers: [WasteKey: FileTally] = [:]
    private(set) var wasteByPath: [PathWaste]
    /// Bottom first.
    private(set) var changes: [Changes] = []
    /// The changes at every path, when they are recorded.
    private(set) var log: FileVersionLog?

    /// `recordsVersions` is for trees of files; numbers alone do without.
    init(_ tree: PathTree, recordsVersions: Bool = false) {
        self.tree = tree
        log = recordsVersions ? FileVersionLog() : nil
        names = [Name](repeating: Name(), count: tree.count)
        names[PathTree.root].kind = .directory
        wasteByPath = [PathWaste](repeating: PathWaste(), count: tree.count)
    }

    /// In the order of holder, cause and reason.
    var waste: [Waste] {
        wasteByLayers.map { Waste(holder: $0.holder, cause: $0.cause, reason: $0.reason, files: $1) }
            .sorted { ($0.holder, $0.cause, $0.reason.slot) < ($1.holder, $1.cause, $1.reason.slot) }
    }

    /// Puts the next layer on top.
    ///
    /// Marks come last although unpacking heeds them first: they only remove what the layer itself does not hold, and
    /// so a file that is removed and made anew counts as overwritten.
    mutating func apply(_ list: FileList) {
        let layer = changes.count
        let numbers = tree.entries[layer]
        changes.append(Changes())
        let marks = list.entries.indices.filter { list.entries[$0].isMark }
        gone = Set(marks.filter { list.entries[$0].kind == .whiteout }.map { Int(numbers[$0]) })
        emptied = Set(marks.filter { list.entries[$0].kind == .opaque }.map { Int(numbers[$0]) })
        var links: [Int] = []
        // By index: a copy of an entry would count three references.
        for index in list.entries.indices {
            let path = Int(numbers[index])
            switch list.entries[index].kind {
            case .whiteout, .opaque: break
            case .hardLink: links.append(index)
            case .directory: place(.directory, at: path, entry: index)
            case .symlink: place(.symlink, at: path, entry: index)
            case .regular:
                let size = list.entries[index].storedSize
                let content = newContent(size, list.entries[index].contentHash, at: path)
                place(.other, at: path, entry: index, content: content, bytes: size)
            case .characterDevice, .blockDevice, .fifo: place(.other, at: path, entry: index)
            }
        }
        for index in links { link(index, at: Int(numbers[index]), in: list) }
        for index in marks {
            let path = Int(numbers[index])
            if list.entries[index].kind == .whiteout {
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

    private mutating func newContent(_ size: Int64, _ hash: UInt64, at path: Int) -> Int32 {
        contents.append(Content(layer: changes.count - 1, path: path, size: size, hash: hash, names: 0))
        return Int32(truncatingIfNeeded: contents.count - 1)
    }

    /// Gives the content of another name to a path. The other name may itself be a link of this layer, or a file of a
    /// layer below.
    private mutating func link(_ index: Int, at path: Int, in list: FileList) {
        var target = list.entries[index].linkTarget
        // As many steps as the kernel follows links, since links may form a ring.
        for _ in 0..<40 {
            guard let other = list[target], other.kind == .hardLink else { break }
            target = other.linkTarget
        }
        let name = tree.number(of: target).map { names[$0] } ?? Name()
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
            tree.forEachChild(of: path) { pending.append($0) }
        }
    }

    private mutating func removeChildren(of path: Int, reason: WasteReason) {
        var children: [Int] = []
        tree.forEachChild(of: path) { children.append($0) }
        for child in children { remove(child, reason: reason) }
    }

    /// Takes one name from a content, which is useless when it was the last.
    private mutating func release(_ index: Int32, reason: WasteReason) {
        guard index >= 0 else { return }
        contents[Int(index)].names -= 1
        let content = contents[Int(index)]
        guard content.names == 0, content.size > 0 else { return }
        let key = WasteKey(holder: content.layer, cause: changes.count - 1, reason: reason)
        wasteByLayers[key, default: FileTally()].add(content.size)
        wasteByPath[content.path].tally.add(content.size)
        wasteByPath[content.path].reasons |= 1 << reason.slot
    }

    private func isLastName(of index: Int32) -> Bool { index >= 0 && contents[Int(index)].names == 1 }

    private func size(of index: Int32) -> Int64 { index < 0 ? 0 : contents[Int(index)].size }

    private func isEqual(_ left: Int32, _ right: Int32) -> Bool {
        guard left >= 0, right >= 0 else { return false }
        let (left, right) = (contents[Int(left)], contents[Int(right)])
        return left.size == right.size && left.hash == right.hash
    }
}

extension LayerEntry {
    /// The bytes of content that the layer holds for this entry.
    var storedSize: Int64 { kind == .regular ? max(0, size) : 0 }
}
