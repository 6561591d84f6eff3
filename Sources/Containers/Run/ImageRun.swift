import Diagnostics
package import Execution
import Glibc
package import Images
import Linux
import OCI
package import Requests
import Sandbox
import Solver
import Store

/// Runs a command in an image, in the sandbox that RUN has, on a copy of its files that is thrown away.
package struct ImageRun: Sendable {
    private let request: RunRequest
    private let images: ImageTransfer

    package init(_ request: RunRequest, images: ImageTransfer) {
        self.request = request
        self.images = images
    }

    /// Runs the command with the standard streams of this process, and gives its exit code as a shell counts.
    ///
    /// `report` gets what there is to say before it starts. Throws `SandboxError` when the command cannot be started and
    /// ``ContainersError`` for everything else.
    package func run(_ link: CommandLink, report: @escaping @Sendable (String) -> Void) async throws -> CInt {
        let store = images.store
        // Before a base image is pulled: nothing may be run with an isolation that is not to be had.
        let isolation = StepIsolation(request.isolation, store: store)
        _ = try await offload { try isolation.mode() }
        // Until the end: what is mounted must not be pruned.
        let lease = try store.lease()
        let image = try await RunImage(request: request, images: images, isolation: isolation).find(report)
        let config = try await offload { [images] in try images.config(of: image) }
        let progress = ProgressReporter { event in
            if case .started(_, let label, _) = event { report(label) }
        }
        let setup = try await RunSetup(
            request, config, images: images, hostname: request.hostname ?? ContainerNames.digits(12),
            progress: progress)
        try Task.checkCancellation()
        // Last: a command that has its turn waits for nothing.
        let turn: ChrootTurn? =
            try await offload { try setup.isolation.needsTurns() }
            ? .wait(in: store) { report("waiting for another command that runs in a changed root") } : nil
        defer { withExtendedLifetime(turn) {} }
        let status = try await offload {
            let root = try StepFileSystem(
                of: setup.stack, lowers: setup.lowers, isolation: setup.isolation, trees: setup.trees)
            var prepared = try setup.sandbox(root.root, ports: FreePorts.choose(request.ports).forwarded)
            prepared.spec.isVolatile = true
            let limited = try LimitedRun(request.sandbox, joining: &prepared.spec, setup.isolation)
            let tree = try root.entered(by: &prepared.spec, PreparedMounts(), setup.isolation, store, warn: report)
            let spec = prepared.spec
            let status = try withExtendedLifetime(prepared.held) {
                try prepared.foreign.explaining { try run(spec, limited, link, report) }
            }
            // A command that failed may have done so because of it.
            if status == 0 { try tree.requireUnchangedMounts() }
            _ = consume tree
            return status
        }
        _ = consume lease
        try await offload { VolumeStore(store).removeAnonymous(in: request.volumes) }
        return status
    }

    private func run(
        _ spec: SandboxSpec, _ limited: borrowing LimitedRun, _ link: CommandLink, _ report: (String) -> Void
    ) throws -> CInt {
        let command = AttachedCommand(spec: spec, isInteractive: request.isInteractive) { link.began($0) }
        do {
            var (status, usage) = try command.run()
            limited.complete(&usage)
            if !status.isSuccess, usage.outOfMemoryKills > 0 {
                report("lamina: the command ended with \(limited.explanation(of: usage))exit code \(status.shellCode)")
            }
            return status.shellCode
        } catch is AttachedCommand.ReaderGone {
            return 128 + SIGPIPE
        }
    }
}
