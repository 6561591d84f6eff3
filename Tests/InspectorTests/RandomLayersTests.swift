import Inspector
import Layers
import Linux
import OCI
import Testing

/// Random stacks of layers against a file system that is kept as simply as can be.
@Suite struct RandomLayersTests {
    @Test(arguments: 0..<300) func reclaimableAndLiveBytesAreAll(seed: UInt64) {
        var random = SplitMix(state: seed)
        var files = PlainFiles()
        var lists: [FileList] = []
        for layer in 0..<Int.random(in: 1...6, using: &random) {
            lists.append(FileList(files.addLayer(layer, using: &random), tarSize: 0))
        }
        let inputs = lists.map { AnalyzedLayerInput(diffID: .empty, fileList: $0) }
        let analysis = ImageAnalysis(layers: inputs)
        expectConsistent(analysis)
        #expect(analysis.size == files.storedBytes)
        #expect(analysis.size - analysis.reclaimable.total == files.liveBytes)
        for (index, layer) in analysis.layers.enumerated() {
            #expect(layer.size - layer.reclaimable.total == files.liveBytes(of: index))
        }
        let files0 = lists.map { $0.entries.count { !$0.isMark && $0.kind != .directory } }
        #expect(analysis.layers.map { $0.added.count + $0.changed.count } == files0)
        let surviving = analysis.layers.reduce(0) { $0 + $1.added.count - $1.removed.count }
        #expect(surviving == files.liveFiles)
        let image = InspectedImage(
            config: ImageConfig(platform: .host), layers: inputs, contents: MemoryContents(blobs: []))
        let useless = image.storedFiles().filter { $0.uselessness != nil }
        #expect(useless.reduce(0) { $0 + $1.size } == analysis.reclaimable.total)
        #expect(analysis.dive.sizeBytes == analysis.size)
        let reference = DiveReference(layers: lists)
        #expect(abs(analysis.dive.efficiency - reference.efficiency) < 1e-9)
        #expect(analysis.dive.wastedBytes == reference.wastedBytes)
    }

    @Test(arguments: 0..<200) func treesHaveTheFilesOfEveryLayer(seed: UInt64) {
        var random = SplitMix(state: seed)
        var files = PlainFiles()
        var lists: [FileList] = []
        var live: [[String: PlainFiles.File]] = []
        for layer in 0..<Int.random(in: 1...6, using: &random) {
            lists.append(FileList(files.addLayer(layer, using: &random), tarSize: 0))
            live.append(files.live)
        }
        let tree = ImageTree(layers: lists.map(PackedFileList.init))
        for (layer, expected) in live.enumerated() {
            var found: [String: PlainFiles.File] = [:]
            for node in 1..<max(1, tree.count) {
                guard let file = tree.file(at: node, after: layer) else { continue }
                let path = tree.path(of: node).text
                // A hard link is another name of a content, which its entry does not tell.
                found[path] = tree.entry(of: file, at: node).plain ?? expected[path]?.withoutNumber
            }
            #expect(found == expected.mapValues(\.withoutNumber))
            let comparison = TreeComparison(tree, layer: layer)
            let present = (1..<max(1, tree.count)).filter {
                comparison.change(of: $0) != nil && comparison.change(of: $0) != .removed
            }
            #expect(Set(present.map { tree.path(of: $0).text }) == Set(expected.keys))
        }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// The paths of an image, each with what is there.
private struct PlainFiles {
    struct Content: Hashable {
        let layer: Int
        let number: Int
        let size: Int64
    }

    enum File: Equatable {
        case directory
        case symlink
        case regular(Content)
    }

    private(set) var live: [String: File] = [:]
    private(set) var storedBytes: Int64 = 0
    private var made = 0

    private var contents: Set<Content> {
        Set(live.values.compactMap { if case .regular(let content) = $0 { content } else { nil } })
    }

    var liveBytes: Int64 { contents.reduce(0) { $0 + $1.size } }
    var liveFiles: Int { live.values.count { $0 != .directory } }

    func liveBytes(of layer: Int) -> Int64 { contents.filter { $0.layer == layer }.reduce(0) { $0 + $1.size } }

    /// Makes up the next layer and unpacks it: first what it removes, then what it holds.
    mutating func addLayer(_ layer: Int, using random: inout SplitMix) -> [LayerEntry] {
        var entries: [LayerEntry] = []
        if layer > 0 {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let path = Self.path(using: &random)
                let isOpaque = Bool.random(using: &random)
                entries.append(LayerEntry(path: PathBytes(path), kind: isOpaque ? .opaque : .whiteout))
                if !isOpaque { live[path] = nil }
                removeBelow(path)
            }
        }
        var own: Set<String> = []
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let path = Self.path(using: &random)
            let parents = Self.parents(of: path)
            let clashes =
                own.contains(path) || own.contains { $0.hasPrefix("\(path)/") } || parents.contains(where: own.contains)
                || parents.contains { live[$0] == .symlink }
            if clashes { continue }
            own.insert(path)
            entries.append(place(path, layer, entries, using: &random))
        }
        return entries
    }

    private mutating func place(
        _ path: String, _ layer: Int, _ entries: [LayerEntry], using random: inout SplitMix
    ) -> LayerEntry {
        for parent in Self.parents(of: path) where live[parent] != .directory { live[parent] = .directory }
        let name = PathBytes(path)
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            live[path] = .directory
            return LayerEntry(path: name, kind: .directory)
        case 1:
            removeBelow(path)
            live[path] = .symlink
            return LayerEntry(path: name, kind: .symlink, linkTarget: "target")
        case 2...4:
            let target = entries.filter { $0.kind == .regular }.randomElement(using: &random)
            guard let target, case .regular(let content)? = live[target.path.text] else { fallthrough }
            removeBelow(path)
            live[path] = .regular(content)
            return LayerEntry(path: name, kind: .hardLink, linkTarget: target.path)
        default:
            made += 1
            let content = Content(layer: layer, number: made, size: Int64.random(in: 0...3, using: &random))
            storedBytes += content.size
            removeBelow(path)
            live[path] = .regular(content)
            return LayerEntry(
                path: name, kind: .regular, size: content.size, contentHash: UInt64.random(in: 0...1, using: &random))
        }
    }

    private mutating func removeBelow(_ path: String) {
        for other in live.keys where other.hasPrefix("\(path)/") { live[other] = nil }
    }

    private static func path(using random: inout SplitMix) -> String {
        let names = ["a", "b", "a-", "c"]
        let count = Int.random(in: 1...3, using: &random)
        return (0..<count).map { _ in names[Int.random(in: 0..<names.count, using: &random)] }.joined(separator: "/")
    }

    private static func parents(of path: String) -> [String] {
        let names = path.split(separator: "/")
        return (1..<max(1, names.count)).map { names.prefix($0).joined(separator: "/") }
    }
}

extension PlainFiles.File {
    /// The file as a layer's entry tells it.
    fileprivate var withoutNumber: PlainFiles.File {
        guard case .regular(let content) = self else { return self }
        return .regular(PlainFiles.Content(layer: 0, number: 0, size: content.size))
    }
}

extension LayerEntry {
    fileprivate var plain: PlainFiles.File? {
        switch kind {
        case .directory: .directory
        case .symlink: .symlink
        case .regular: .regular(PlainFiles.Content(layer: 0, number: 0, size: size))
        default: nil
        }
    }
}
