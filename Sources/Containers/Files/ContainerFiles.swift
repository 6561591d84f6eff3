import Diagnostics
import Execution
import Images
import Linux
import OCI
import Requests
import Sandbox
import Solver
import Store
import SystemPackage
import Trees

/// The image of a container and its changes.
struct ContainerFiles: Sendable {
    let container: Container
    let setup: RunSetup
    let overlay: KeptOverlay

    /// Unpacks the image's layers where they are not yet. To be called with a lease.
    init(_ container: Container, images: ImageTransfer, hostname: String = "") async throws {
        let config = try await offload { try container.imageConfig() }
        let setup = try await RunSetup(
            container.record.currentRequest(), config, images: images, hostname: hostname,
            progress: ProgressReporter { _ in })
        self.container = container
        self.setup = setup
        overlay = try await offload { try setup.keptOverlay(in: container.directory) }
    }

    /// Runs `body` with the root directory: as its command sees it where it runs, else without volumes.
    ///
    /// A container that does not run cannot be started meanwhile.
    func withRoot<Value>(_ body: (borrowing Directory) throws -> Value) throws -> Value {
        let turn = try FileLock(container.directory.appending("turn"), .exclusive)
        let now = try container.reloaded()
        if now.isRunning {
            _ = consume turn
            return try body(try ContainerClient(now).files())
        }
        try overlay.prepareForAnotherCommand()
        let scratch = try setup.images.store.temporaryDirectory()
        let value = try overlay.tree.withHiddenMount(setup.hostCapabilities, scratch: scratch.path, body)
        try overlay.prepareForAnotherCommand()
        _ = consume turn
        return value
    }

    /// The paths of mounts over files of the container, which are no changes of its own.
    var mountPoints: Set<PathBytes> {
        let usual = ["proc", "sys", "dev", "etc/hosts", "etc/resolv.conf"]
        let volumes = container.record.request.volumes
        let own = volumes.volumes.map(\.target) + volumes.temporary.map(\.target)
        return Set(
            usual.map { PathBytes($0) }
                + own.map { PathBytes(PathBytes($0).components.map(\.text).joined(separator: "/")) })
    }
}

extension RunSetup {
    /// The overlay of a container.
    ///
    /// Throws ``ContainersError`` `.unsupported` where commands get a copy of their files.
    func keptOverlay(in directory: FilePath) throws -> KeptOverlay {
        guard try !isolation.copiesFiles(ofLayers: stack.layers.count) else {
            throw ContainersError(
                .unsupported, "no container can be kept here: a command gets a copy of its files, and no overlay",
                hint: "Leave out --name, -d and --rm=false, or see 'lamina doctor' for what an overlay needs.")
        }
        return KeptOverlay(in: directory, on: stack, lowers: lowers, form: try isolation.form())
    }
}
