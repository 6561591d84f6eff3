import Diagnostics
import Execution
import Frontend
import Graph
import Layers
import Linux
import OCI
import Store
import Trees

/// Looks at the layers that the steps of a Dockerfile left in the image, for the checks that need them.
struct LayerReview {
    private let plan: BuildPlan
    private let layers: LayerIndex
    /// The steps with a layer and their layers, in order.
    private let steps: [(vertex: Vertex, diffID: DiffID)]

    init(_ plan: BuildPlan, _ state: LayerStack, layers: LayerIndex) {
        self.plan = plan
        self.layers = layers
        let vertices = plan.steps.compactMap(\.vertex).map { plan.graph.vertices[$0.index] }
        let diffIDs = state.diffIDs.suffix(vertices.count)
        steps = vertices.count == diffIDs.count ? Array(zip(vertices, diffIDs)) : []
    }

    /// Reports deleted files and secrets to the checks of the plan.
    func report() throws {
        let lists = try steps.map { try layers.fileList($0.diffID).map(FileList.init(decoding:)) }
        for (step, list) in zip(steps, lists) {
            if let list { reportSecrets(of: step.vertex, list) }
        }
        for deletion in deletions(lists) { plan.layerChecks.report(deletion) }
    }

    // MARK: Deletions

    /// The files made by one step and deleted by a later one.
    private func deletions(_ lists: [FileList?]) -> [Deletion] {
        var found: [Deletion] = []
        /// The files of each layer that are gone already.
        var gone = [Set<Int>](repeating: [], count: lists.count)
        for (upper, list) in lists.enumerated() {
            guard let list, let lines = steps[upper].vertex.location?.lines else { continue }
            var victims: [(layer: Int, entry: LayerEntry)] = []
            for mark in list.entries where mark.isMark {
                for lower in 0..<upper {
                    guard let below = lists[lower] else { continue }
                    for index in below.indices(within: mark.path)
                    where below.entries[index].kind == .regular && list[below.entries[index].path] == nil {
                        guard gone[lower].insert(index).inserted else { continue }
                        victims.append((lower, below.entries[index]))
                    }
                }
            }
            let bytes = victims.clampedSum(\.entry.size)
            guard bytes > 0, let largest = victims.max(by: { $0.entry.size < $1.entry.size }) else { continue }
            let makers = Set(victims.compactMap { steps[$0.layer].vertex.location?.lines.lowerBound }).sorted()
            // Triggers of a base all have the line of its FROM, where there is nothing to change.
            guard makers != [lines.lowerBound] else { continue }
            found.append(
                Deletion(
                    lines: lines, madeAt: makers, fileCount: victims.count, bytes: bytes,
                    largest: largest.entry.path.text))
        }
        return found
    }

    // MARK: Secrets

    private func reportSecrets(of vertex: Vertex, _ list: FileList) {
        guard case .copy(let copy) = vertex.operation, let location = vertex.location else { return }
        let words = copy.sources.compactMap { source -> String? in
            guard case .path(let word, let input) = source, vertex.inputs.indices.contains(input),
                case .context = plan.graph.vertices[vertex.inputs[input].index].operation
            else { return nil }
            return word
        }
        guard !words.isEmpty else { return }
        let copied = list.entries.filter { entry in
            entry.kind == .regular && entry.size > 0 && SecretNames.mayBeSecret(entry.path.bytes)
        }
        let paths = copied.map(\.path.text).filter(SecretNames.isSecret).map { "/\($0)" }
        let keyword = copy.archives == .unpack ? "ADD" : "COPY"
        // A file may be given another name by the copy, so what was asked for counts too.
        let secrets = paths.isEmpty ? words.filter(SecretNames.isSecret) : paths
        plan.layerChecks.reportSecrets(secrets, at: location, keyword: keyword)
    }
}

extension FileList {
    /// The entries of a path and of everything below it.
    fileprivate func indices(within path: PathBytes) -> Range<Int> {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path.walksBefore(path) { low = middle + 1 } else { high = middle }
        }
        let start = low
        while low < entries.count, entries[low].path.isWithin(path) { low += 1 }
        return start..<low
    }
}
