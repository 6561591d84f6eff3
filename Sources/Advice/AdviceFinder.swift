import Inspector
import Layers
import Linux

/// Sorts the files that layers store by what could be done about them.
struct AdviceFinder {
    private struct Key: Hashable {
        let kind: Advice.Kind
        let layer: Int
        let cause: Int?
    }

    private struct Group {
        var tally = FileTally()
        /// By node to show, its bytes.
        var shown: [Int: Int64] = [:]
    }

    private struct Content: Hashable {
        let size: Int64
        let hash: UInt64
    }

    private let image: InspectedImage
    private let marks: PathMarks
    private let steps: [LayerStep]
    private var groups: [Key: Group] = [:]

    init(_ image: InspectedImage, _ origins: [LayerOrigin?]) throws {
        self.image = image
        marks = try PathMarks(image.tree)
        steps = image.analysis.layers.map { layer in
            LayerStep(layer, origins.indices.contains(layer.index) ? origins[layer.index] : nil)
        }
    }

    mutating func find() -> [Advice] {
        var rest: [StoredFile] = []
        for file in image.storedFiles() where file.size > 0 {
            if let uselessness = file.uselessness {
                add(file, useless: uselessness)
            } else if steps[file.layer] == .base || !add(file) {
                rest.append(file)
            }
        }
        addDuplicates(rest)
        return groups.map { key, group in
            let largest = group.shown.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
            return Advice(
                kind: key.kind, layer: key.layer, cause: key.cause, files: group.tally,
                examples: largest.map { image.tree.path(of: $0.key) })
        }
    }

    private mutating func add(_ kind: Advice.Kind, _ file: StoredFile, cause: Int? = nil, shown: Int? = nil) {
        let key = Key(kind: kind, layer: file.layer, cause: cause)
        let tally = groups[key, default: Group()].tally
        groups[key, default: Group()].tally = FileTally(count: tally.count + 1, bytes: tally.bytes &+ file.size)
        groups[key, default: Group()].shown[shown ?? file.node, default: 0] &+= file.size
    }

    private mutating func add(_ file: StoredFile, useless: StoredFile.Uselessness) {
        guard steps[file.layer] != .base else {
            // Layers of a base cannot be changed one by one.
            let top = steps.lastIndex(of: .base) ?? file.layer
            let key = Key(kind: .baseContent, layer: top, cause: nil)
            let tally = groups[key, default: Group()].tally
            groups[key, default: Group()].tally = FileTally(count: tally.count + 1, bytes: tally.bytes &+ file.size)
            groups[key, default: Group()].shown[file.node, default: 0] &+= file.size
            return
        }
        let kind: Advice.Kind =
            switch useless.reason {
            case .deleted, .opaque: .deletedLater
            case .overwritten: .replacedLater
            case .metadataOnly: steps[useless.cause] == .copy ? .copiedTwice : .metadataCopy
            }
        add(kind, file, cause: useless.cause)
    }

    /// Adds a file of the image to the advice that its path asks for; `false` when there is none.
    private mutating func add(_ file: StoredFile) -> Bool {
        let node = file.node
        if marks.caches[node] >= 0 {
            add(.packageCache(PackageCache.all[Int(marks.caches[node])]), file, shown: image.tree.parent(of: node))
        } else if marks.versionControl[node] >= 0 {
            add(.versionControl, file, shown: Int(marks.versionControl[node]))
        } else if steps[file.layer] == .copy, marks.artefacts[node] >= 0 {
            add(.buildArtefacts, file, shown: Int(marks.artefacts[node]))
        } else if marks.isDebug[node] {
            add(.debugSymbols, file)
        } else {
            return false
        }
        return true
    }

    /// The first layer keeps a content, and of one layer the first path.
    private mutating func addDuplicates(_ files: [StoredFile]) {
        var seen: Set<Content> = []
        let ordered = files.indices.sorted { (files[$0].layer, $0) < (files[$1].layer, $1) }
        for index in ordered {
            let file = files[index]
            let hash = image.tree.lists[file.layer].entries[file.entry].contentHash
            let isNew = seen.insert(Content(size: file.size, hash: hash)).inserted
            if !isNew, steps[file.layer] != .base { add(.duplicates, file) }
        }
    }
}
