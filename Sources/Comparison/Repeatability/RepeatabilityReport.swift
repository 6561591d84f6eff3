package import Inspector
import Layers
import Linux
import OCI

/// The differences of the images of two builds of the same thing, by cause and by the step that made it.
package struct RepeatabilityReport: Sendable {
    /// Files that differ for one reason, made by one step.
    package struct Group: Hashable, Sendable {
        package let explanation: ExplainedCause
        /// The layer of the second image, counted from 1; `nil` for what belongs to no layer.
        package let layer: Int?
        /// The lines of the Dockerfile, if they are known.
        package let origin: LayerOrigin?
        /// The step as the history of the image has it.
        package let step: String
        /// Paths from the root, or fields of the config, sorted.
        package let names: [String]
    }

    /// Sorted by layer, then by cause.
    package let groups: [Group]

    /// At most this many bytes of each image are compared to tell causes.
    private static let byteLimit: Int64 = 64 << 20
    private static let fileLimit: Int64 = 8 << 20

    /// Finds the causes of a comparison.
    ///
    /// Throws ``InspectorError`` when the content of a file is not there.
    package init(_ difference: ImageDifference, variations: [ContentCause.Variation] = []) throws {
        var reasons = Reasons(difference)
        reasons.explainConfig()
        try reasons.explainFiles(ContentCause(variations))
        groups = reasons.groups
    }

    /// The layers whose bytes are read, of each image.
    package static func layersToRead(_ difference: ImageDifference) -> (old: Set<Int>, new: Set<Int>) {
        let files = Reasons.compared(difference)
        return (Set(files.compactMap(\.old?.layer)), Set(files.compactMap(\.new?.layer)))
    }

    /// Collects what was found.
    private struct Reasons {
        private struct Key: Hashable {
            let explanation: ExplainedCause
            let layer: Int?
        }

        private let difference: ImageDifference
        private var found: [Key: Set<String>] = [:]

        init(_ difference: ImageDifference) { self.difference = difference }

        private mutating func add(_ explanation: ExplainedCause, _ layer: Int?, _ name: String) {
            found[Key(explanation: explanation, layer: layer), default: []].insert(name)
        }

        /// Changed files whose bytes are compared: the smaller ones, as far as there is room.
        static func compared(_ difference: ImageDifference) -> [FileDifference] {
            var room = byteLimit
            let files = difference.files.filter { $0.causes.contains(.content) }.map { file in
                (file, max(file.old?.entry.size ?? 0, file.new?.entry.size ?? 0))
            }
            return files.sorted { $0.1 < $1.1 }.filter { _, size in
                guard size <= fileLimit, size <= room else { return false }
                room -= size
                return true
            }.map(\.0)
        }

        // MARK: Config

        mutating func explainConfig() {
            let lasting = Set(
                ConfigDifference.between(
                    difference.old.image.config, difference.new.image.config, ignoresTimes: true
                ).map(\.field))
            for change in difference.config {
                add(lasting.contains(change.field) ? .config : .imageTime, nil, change.field)
            }
        }

        // MARK: Files

        mutating func explainFiles(_ contents: ContentCause) throws {
            let renamed = Renamings(difference.files)
            for (old, new) in renamed.pairs {
                let path = "/\(old.path.text)"
                add(
                    ByProduct.cause(of: path) ?? .randomName, new.new?.layer,
                    "\(path) → \(new.path.lastComponent.text)")
            }
            let bytes = try self.bytes()
            for file in difference.files where !renamed.paths.contains(file.path) {
                let path = "/\(file.path.text)"
                let layer = file.new?.layer ?? file.remover ?? file.old?.layer
                guard file.change == .changed else {
                    let side = file.new == nil ? "first" : "second"
                    add(ByProduct.cause(of: path) ?? .content, layer, "\(path) (only in the \(side) image)")
                    continue
                }
                for cause in file.causes {
                    switch cause {
                    case .kind, .target: add(ByProduct.cause(of: path) ?? .content, layer, path)
                    case .content:
                        let pair = bytes[file.path]
                        let explanation = pair.map { contents.cause($0.old, $0.new, path: path) }
                        add(explanation ?? ByProduct.cause(of: path) ?? .content, layer, path)
                    case .mode: add(.mode, layer, path)
                    case .owner: add(.owner, layer, path)
                    case .attributes: add(.attributes, layer, path)
                    // A file that is written anew has another time.
                    case .time where file.isTimeOnly: add(.fileTime, layer, path)
                    case .time: break
                    }
                }
            }
        }

        private func bytes() throws -> [PathBytes: (old: [UInt8], new: [UInt8])] {
            let files = Self.compared(difference)
            let old = try Self.read(files.map(\.path), difference.old)
            let new = try Self.read(files.map(\.path), difference.new)
            return old.merging(new) { $0 + $1 }.compactMapValues { $0.count == 2 ? ($0[0], $0[1]) : nil }
        }

        private static func read(_ paths: [PathBytes], _ image: ComparedImage) throws -> [PathBytes: [[UInt8]]] {
            var places: [ContentPlace: PathBytes] = [:]
            for path in paths {
                guard let node = image.image.tree.node(at: path),
                    let file = image.image.tree.file(at: node, after: image.lastLayer),
                    let place = image.image.place(of: file)
                else { continue }
                places[place] = path
            }
            var found: [PathBytes: [[UInt8]]] = [:]
            for (place, bytes) in try image.image.beginnings(of: Array(places.keys), limit: Int(fileLimit)) {
                if let path = places[place] { found[path] = [bytes] }
            }
            return found
        }

        // MARK: Groups

        var groups: [Group] {
            found.map { key, names in
                let origin = key.layer.flatMap {
                    difference.new.origins.indices.contains($0) ? difference.new.origins[$0] : nil
                }
                let layers = difference.new.image.analysis.layers
                let step = key.layer.flatMap { layers.indices.contains($0) ? layers[$0].command : nil }
                return Group(
                    explanation: key.explanation, layer: key.layer.map { $0 + 1 }, origin: origin, step: step ?? "",
                    names: names.sorted())
            }
            .sorted { one, other in
                let order = DifferenceCause.allCases
                func place(_ group: Group) -> Int { order.firstIndex(of: group.explanation.cause) ?? 0 }
                return (one.layer ?? 0, place(one), one.explanation.hint) < (
                    other.layer ?? 0, place(other), other.explanation.hint
                )
            }
        }
    }
}

/// Files of one directory that have another name in the second image and are otherwise alike.
private struct Renamings {
    private(set) var pairs: [(old: FileDifference, new: FileDifference)] = []
    private(set) var paths: Set<PathBytes> = []

    init(_ files: [FileDifference]) {
        var added: [PathBytes: [FileDifference]] = [:]
        for file in files where file.change == .added { added[file.path.parent, default: []].append(file) }
        for file in files where file.change == .removed {
            let others = added[file.path.parent] ?? []
            guard let place = others.firstIndex(where: { Self.areAlike(file, $0) }) else { continue }
            pairs.append((file, others[place]))
            added[file.path.parent]?.remove(at: place)
            paths.formUnion([file.path, others[place].path])
        }
    }

    private static func areAlike(_ old: FileDifference, _ new: FileDifference) -> Bool {
        guard let one = old.old?.entry, let other = new.new?.entry, one.kind == other.kind else { return false }
        let names = (old.path.lastComponent.bytes, new.path.lastComponent.bytes)
        guard names.0.count == names.1.count else { return false }
        // A part of the name stays, or the whole content.
        let isEqual = one.kind == .regular && one.size > 0 && one.contentHash == other.contentHash
        let same = zip(names.0, names.1).prefix { $0 == $1 }.count
        return isEqual || same >= 2
    }
}
