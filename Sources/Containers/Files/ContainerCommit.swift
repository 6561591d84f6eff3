import Diagnostics
import Execution
package import Images
import Layers
import Linux
package import OCI
import Requests
package import Store
import SystemPackage

/// Makes an image of a container: its files as one more layer, as a RUN makes one, and its settings as the config.
package struct ContainerCommit: Sendable {
    private let container: Container
    private let images: ImageTransfer
    package var author: String?
    package var message = ""

    package init(_ container: Container, images: ImageTransfer) {
        self.container = container
        self.images = images
    }

    /// The config that the image gets if nothing in it is changed: that of the container's image, with what the options
    /// of the container have replaced.
    package func config() throws -> ImageConfig {
        var config = try container.imageConfig().asBase()
        let request = container.record.request
        for (name, value) in request.environment {
            config.config.environment.removeAll { $0.hasPrefix("\(name)=") }
            config.config.environment.append("\(name)=\(value)")
        }
        if let entrypoint = request.entrypoint {
            config.config.entrypoint = entrypoint.isEmpty ? nil : entrypoint
            config.config.command = nil
        }
        if !request.arguments.isEmpty { config.config.command = request.arguments }
        if let user = request.user { config.config.user = user }
        if let directory = request.workingDirectory { config.config.workingDirectory = directory }
        config.config.labels = container.record.labels
        return config
    }

    /// Writes the layer and records the image, with a name if there is one.
    ///
    /// A file that changes its size meanwhile is an error.
    package func commit(_ config: ImageConfig, as name: ImageReference?) async throws -> StoredImage {
        let lease = try images.store.lease()
        let files = try await ContainerFiles(container, images: images)
        let image = try await offload {
            let diffID = try files.overlay.writeLayer(
                images.storage, files.setup.trees.layers, besides: files.mountPoints)
            var config = config
            let time = Timestamp.now
            config.diffIDs.append(diffID)
            config.created = time
            if let author { config.author = author }
            config.history.append(
                History(
                    created: time, createdBy: container.record.command.joined(separator: " "), author: author ?? "",
                    comment: message, emptyLayer: false))
            let id = try images.store.content.save(config.encoded)
            return try images.save(id, config, manifest: nil, layers: [], as: name.map { [$0] } ?? [])
        }
        _ = consume lease
        return image
    }
}
