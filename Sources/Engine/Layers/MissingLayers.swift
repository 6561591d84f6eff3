import OCI
import Store
import Synchronization

/// Layer sources that failed in this build: the recorded place does not have the layer.
final class MissingLayers: Sendable {
    private let sources = Mutex<Set<LayerSource>>([])

    func insert(_ source: LayerSource) { sources.withLock { _ = $0.insert(source) } }

    func contains(_ source: LayerSource) -> Bool { sources.withLock { $0.contains(source) } }
}
