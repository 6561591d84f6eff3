import Contexts
import Execution
import Frontend
import Images
import OCI
import Requests
import Solver
import Store
import Trees

/// The means of a build to reach its inputs, made once for each request.
struct BuildTools: Sendable {
    let credentials: BuildCredentials
    let remotes: RemoteSources
    let isolation: StepIsolation
    let trees: LayerTreeCache
    let layerProgress: LayerProgress
    /// Knows what has been unpacked for the context: the steps need not unpack it again.
    let loader: ContextLoader
    /// The time at which the build began.
    let started = Timestamp.now

    init(_ request: BuildRequest, images: ImageTransfer, progress: ProgressReporter) {
        let store = images.store
        credentials = BuildCredentials(
            secrets: request.secrets, agents: request.agents,
            keyAgents: KeyAgents(store: store, environment: images.registry.environment))
        remotes = RemoteSources(
            store: store, registry: images.registry, credentials: credentials, progress: progress)
        isolation = StepIsolation(request.isolation, store: store)
        trees = LayerTreeCache(store.layers)
        layerProgress = LayerProgress(progress)
        let snapshots = isolation.unpacker(of: images, trees: trees, progress: layerProgress)
        loader = ContextLoader(store: store, remotes: remotes, snapshots: snapshots)
    }
}
