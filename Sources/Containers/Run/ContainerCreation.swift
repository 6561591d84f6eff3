import Diagnostics
import Execution
package import Images
import Linux
import OCI
package import Requests
import Solver
import Store

/// A container that is to be made.
package struct ContainerCreation: Sendable {
    package var request: RunRequest
    /// `nil` for one that is chosen.
    package var name: String?
    /// Over the labels of the image.
    package var labels: [String: String] = [:]
    package var removesItself = false
    /// In place of the image's.
    package var stopSignal: String?
    /// In seconds.
    package var stopTimeout: Int?

    package init(_ request: RunRequest) { self.request = request }

    /// Finds the image, or pulls it, and makes the container. It does not run yet.
    ///
    /// Throws ``ContainersError``, and what keeps the image from being had.
    package func create(
        _ images: ImageTransfer, report: @escaping @Sendable (String) -> Void
    ) async throws -> Container {
        let store = images.store
        let containers = ContainerStore(store)
        try await offload { containers.removeAbandoned() }
        let lease = try store.lease()
        let isolation = StepIsolation(request.isolation, store: store)
        let image = try await RunImage(request: request, images: images, isolation: isolation).find(report)
        let config = try await offload { try images.config(of: image) }
        var wanted = request
        wanted.volumes.addAnonymous(at: config.config.volumes)
        let command = try wanted.command(config.config)
        _ = try wanted.directory(config.config)
        let signal = stopSignal ?? config.config.stopSignal
        let record = ContainerRecord(
            name: name ?? "", created: .now, image: image.id, platform: config.platform, request: wanted,
            command: command, labels: config.config.labels.merging(labels) { $1 }, removesItself: removesItself,
            stopSignal: signal.isEmpty ? try SignalNumber.parse("TERM") : try SignalNumber.parse(signal),
            stopTimeout: stopTimeout ?? 10)
        let progress = ProgressReporter { event in
            if case .started(_, let label, _) = event { report(label) }
        }
        // What the first start would find wrong is said now, as far as it is known.
        let setup = try await RunSetup(wanted, config, images: images, hostname: "", progress: progress)
        try Task.checkCancellation()
        let container = try await offload {
            try containers.create(record, config) { try setup.keptOverlay(in: $0).make(setup.trees.layers) }
        }
        _ = consume lease
        return container
    }
}
