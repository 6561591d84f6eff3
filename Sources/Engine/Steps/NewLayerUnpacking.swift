import Execution
import Graph
import Images
import OCI
import Store

/// Unpacks a layer while it is written, for a command that is going to see its files.
struct NewLayerUnpacking: Sendable {
    let store: StoreRoot
    let snapshots: SnapshotUnpacker
    let isolation: StepIsolation

    /// The way to read a new layer on top of a stack, made by the step with this content key; `nil` where it need not be
    /// unpacked.
    func reading(on stack: LayerStack, key: Digest) throws -> LayerReading? {
        // Where commands cannot be isolated, a build without any needs no directories for them.
        guard (try? isolation.copiesFiles(ofLayers: stack.count + 1)) == false else { return nil }
        // A step that ignores the cache mostly makes the layer that it has made before.
        if let chain = try store.cache.record(for: key)?.stack.chainID,
            try store.snapshots.snapshot(chain, in: isolation.form()) != nil
        {
            return nil
        }
        return snapshots.reading(newLayerOn: stack)
    }
}

extension BuildRunner {
    /// The vertices whose layers a command has below it, or a copy from a stage takes files from.
    ///
    /// `vertices` are those of a graph that are needed, inputs first.
    static func unpacked(among vertices: [Vertex]) -> Set<VertexID> {
        var unpacked: Set<VertexID> = []
        for vertex in vertices.reversed() {
            let isBase: Bool
            switch vertex.operation {
            case .run: isBase = true
            case .copy:
                unpacked.formUnion(vertex.inputs.dropFirst())
                isBase = unpacked.contains(vertex.id)
            case .makeDirectory: isBase = unpacked.contains(vertex.id)
            case .scratch, .context, .image, .http, .git: continue
            }
            if isBase, let base = vertex.inputs.first { unpacked.insert(base) }
        }
        return unpacked
    }
}
