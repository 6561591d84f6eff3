import OCI
package import Store
import Synchronization

/// Layer sources that failed in this build: the recorded place does not have the layer.
package final class MissingLayers: Sendable {
    private let sources = Mutex<Set<LayerSource>>([])

    package var isEmpty: Bool { sources.withLock { $0.isEmpty } }

    package func insert(_ source: LayerSource) { sources.withLock { _ = $0.insert(source) } }

    package func contains(_ source: LayerSource) -> Bool { sources.withLock { $0.contains(source) } }
}
