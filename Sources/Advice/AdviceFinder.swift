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
    private let order: StepOrder
    private var groups: [Key: Group] = [:]

    init(_ image: InspectedImage, _ origins: [LayerOrigin?]) throws {
        self.image = image
        order = StepOrder(image, origins)
        marks = try PathMarks(image.tree)
        steps = image.analysis.layers.map { layer in
            LayerStep(layer, origins.indices.contains(layer.index) ? origins[layer.index] : nil)
        }
    }

    mutating func find() throws -> [Advice] {
        var rest: [StoredFile] = []
        for file in image.storedFiles() where file.size > 0 {
            if let uselessness = file.uselessness {
                add(file, useless: uselessness)
            } else if steps[file.layer] == .base || !add(file) {
                rest.append(file)
            }
        }
        try addUnstripped(addDuplicates(rest))
        for finding in order.findings() { add(.order, layer: finding.layer, copy: finding.copy) }
        for finding in ManifestOrder(image, order).findings() {
            add(.manifestFirst, layer: finding.layer, copy: finding.copy, shown: finding.manifests)
        }
        return groups.map { key, group in
            let largest = group.shown.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
            return Advice(
                kind: key.kind, layer: key.layer, cause: key.cause, files: group.tally,
                examples: largest.map { image.tree.path(of: $0.key) })
        }
    }

    /// Adds a layer that would not have to be made again in another order.
    private mutating func add(_ kind: Advice.Kind, layer index: Int, copy: Int, shown: [Int] = []) {
        let layer = image.analysis.layers[index]
        groups[Key(kind: kind, layer: index, cause: copy)] = Group(
            tally: FileTally(count: layer.added.count + layer.changed.count, bytes: layer.size),
            shown: Dictionary(shown.map { ($0, 0) }, uniquingKeysWith: +))
    }

    /// Adds a file to the advice for its layer, or for another; all of its bytes are saved if `bytes` does not say how
    /// many. The node that stands for it is its own if `shown` is `nil`.
    private mutating func add(
        _ kind: Advice.Kind, _ file: StoredFile, layer: Int? = nil, cause: Int? = nil, shown: Int? = nil,
        bytes: Int64? = nil
    ) {
        let (key, size) = (Key(kind: kind, layer: layer ?? file.layer, cause: cause), bytes ?? file.size)
        let tally = groups[key, default: Group()].tally
        groups[key, default: Group()].tally = FileTally(count: tally.count + 1, bytes: tally.bytes &+ size)
        groups[key, default: Group()].shown[shown ?? file.node, default: 0] &+= size
    }

    private mutating func add(_ file: StoredFile, useless: StoredFile.Uselessness) {
        guard steps[file.layer] != .base else {
            // Layers of a base cannot be changed one by one.
            add(.baseContent, file, layer: steps.lastIndex(of: .base))
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

    /// The first layer keeps a content, and of one layer the first path. The result are the files that are no duplicates.
    private mutating func addDuplicates(_ files: [StoredFile]) -> [StoredFile] {
        var kept: [StoredFile] = []
        var seen: Set<Content> = []
        let ordered = files.indices.sorted { (files[$0].layer, $0) < (files[$1].layer, $1) }
        for index in ordered {
            let file = files[index]
            let hash = image.tree.lists[file.layer].contentHash(of: file.entry)
            let isNew = seen.insert(Content(size: file.size, hash: hash)).inserted
            if !isNew, steps[file.layer] != .base { add(.duplicates, file) } else { kept.append(file) }
        }
        return kept
    }

    /// Programs of less than this size are not looked into.
    private static let smallestProgram: Int64 = 16 << 10

    /// Looks into programs and libraries. Those whose bytes are not there are passed over.
    private mutating func addUnstripped(_ files: [StoredFile]) throws {
        let programs = files.filter { file in
            guard file.size >= Self.smallestProgram, steps[file.layer] != .base else { return false }
            let entry = image.tree.entry(file.entry, of: file.layer)
            let isLibrary = image.tree.name(of: file.node).split(separator: UInt8(ascii: ".")).contains(
                Array("so".utf8)[...])
            return entry.permissions & 0o111 != 0 || isLibrary
        }
        let edges = try image.edges(
            of: programs.map { ContentPlace(layer: $0.layer, entry: $0.entry) }, head: ProgramSymbols.headLength,
            tail: ProgramSymbols.tailLength)
        for file in programs {
            guard let edges = edges[ContentPlace(layer: file.layer, entry: file.entry)],
                let symbols = ProgramSymbols(head: edges.head, tail: edges.tail, fileSize: file.size), symbols.size > 0
            else { continue }
            add(.unstripped, file, bytes: min(symbols.size, file.size))
        }
    }
}
