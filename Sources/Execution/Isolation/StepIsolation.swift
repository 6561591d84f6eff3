import Diagnostics
import Images
package import Linux
package import OCI
package import Requests
package import Sandbox
package import Store
import Synchronization
import SystemPackage

/// The isolation of a build's commands, decided when the first of them needs it: nothing is asked of the kernel before.
///
/// Its answers may take some milliseconds: ask in `offload`.
package final class StepIsolation: Sendable {
    private let store: StoreRoot
    /// `nil` leaves the choice to the probe.
    private let asked: Isolation?
    private let foreignPrograms: ForeignPrograms
    private let knownMode = Mutex<Result<Isolation, any Error>?>(nil)
    private let knownCapabilities = Mutex<HostCapabilities?>(nil)

    package init(_ asked: Isolation?, store: StoreRoot) {
        self.asked = asked
        self.store = store
        foreignPrograms = ForeignPrograms(store: store)
    }

    /// The mode that commands run on.
    ///
    /// Throws ``ExecutionError`` `.isolation` when there is none, and `.outsideUserNamespace` when this process would
    /// have
    /// to enter a user namespace first.
    package func mode() throws -> Isolation {
        try knownMode.withLock { known in
            if let known { return known }
            let result = Result { () throws -> Isolation in
                let mode = try IsolationModes.probe().choose(asked)
                if mode == .rootless, !UserNamespace.isEntered {
                    throw ExecutionError(
                        .outsideUserNamespace, "RUN needs a user namespace, which this build has not entered",
                        hint: "Build with --isolation=rootless.")
                }
                return mode
            }
            known = result
            return result
        }.get()
    }

    /// Throws ``ExecutionError`` `.outsideUserNamespace` when the first command would: sooner is better, as the build
    /// has
    /// to begin again then.
    package func requireEntry() throws {
        // Who may do everything is not in need of a namespace of its own, unless that is what was asked for.
        if asked != .rootless, CapabilitySet.effective.isSuperset(of: .systemAdministration) { return }
        do { _ = try mode() } catch let error as ExecutionError where error.code != .outsideUserNamespace {
            // What the first command cannot do is said when there is a command to run, and it is not known yet.
        }
    }

    /// The support that a command for a platform needs to run; `nil` is this machine's platform.
    package func support(for platform: Platform?) throws -> ForeignSupport {
        guard let platform else { return .native }
        return try foreignPrograms.support(for: platform, mode: mode())
    }

    /// The capabilities of the host for a sandbox.
    package func hostCapabilities() throws -> HostCapabilities {
        try knownCapabilities.withLock { known in
            if let known { return known }
            let scratch = try store.temporaryDirectory()
            let hostCapabilities = withExtendedLifetime(scratch) { HostCapabilities.probe(scratch: scratch.path) }
            known = hostCapabilities
            return hostCapabilities
        }
    }

    /// The most layers that an overlay is mounted of: `OVL_MAX_STACK` of the kernel is 500.
    package static let overlayLimit = 500

    /// Whether commands get a copy of their files, as no overlay of so many layers can be mounted.
    package func copiesFiles(ofLayers count: Int) throws -> Bool {
        if try mode() == .chroot { return true }
        return switch try hostCapabilities().overlay {
        case .trusted, .user: count > Self.overlayLimit
        // A program that serves overlays has no such limit.
        case .served: false
        case .none: true
        }
    }

    /// Whether a tree of so many layers that a command mounts is copied, unless it is one directory that is not written
    /// to.
    package func copiesMounts(ofLayers count: Int) throws -> Bool {
        if try mode() == .chroot { return true }
        return switch try hostCapabilities().overlay {
        case .trusted, .user: count > Self.overlayLimit
        case .served, .none: true
        }
    }

    /// The form of the snapshots that commands and readers of layers use.
    package func form() throws -> SnapshotForm {
        let hostCapabilities = try hostCapabilities()
        let marks: SnapshotForm.Marks =
            switch hostCapabilities.overlay {
            case .trusted: .trusted
            case .user: .user
            // A file system that takes no overlay may take no marks of its either.
            case .served, .none: .names
            }
        return SnapshotForm(marks: marks, owners: IDMaps.canSetOwners ? hostCapabilities.identities.description : nil)
    }
}
