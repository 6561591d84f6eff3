import Frontend
import Graph
import Images
import OCI
import Requests
import Solver
import Store

/// Compresses the layers of images that are going to be pushed as soon as their steps have run, while others still run.
struct EarlyCompression: Sendable {
    private let compression: LayerCompression
    private let vertices: Set<VertexID>

    /// - Parameters:
    ///   - request: the build. Where its pushes want other layers than those that steps make, nothing is begun.
    ///   - plans: the plan of each platform's image.
    ///   - compression: makes the blobs.
    init(_ request: BuildRequest, _ plans: [BuildPlan], _ compression: LayerCompression) {
        self.compression = compression
        let isWanted =
            request.squash == nil
            && request.outputs.contains { output in
                guard case .push(let settings) = output else { return false }
                return settings.isPlain
            }
        vertices = isWanted ? Set(plans.flatMap { $0.steps.compactMap(\.vertex) }) : []
    }

    /// Begins with the layer of a step that has run.
    func observe(_ vertex: VertexID, _ note: VertexNote<Digest, StepResult>) {
        guard case .ended(.ran(let result)) = note, vertices.contains(vertex) else { return }
        compression.begin(result.state)
    }
}
