import Asynchrony
import Linux
import Requests
import Sandbox
package import Store
import SystemPackage

/// The turn of a command in a chroot: as long as it is held, no other command of this store runs in one.
package final class ChrootTurn: Sendable {
    private let lock: FileLock

    private init(_ lock: consuming FileLock) { self.lock = lock }

    /// Waits for the turn; to be called when the command waits for nothing else.
    ///
    /// `busy` is called once if another command has it.
    package static func wait(in store: StoreRoot, busy: @Sendable () -> Void = {}) async throws -> ChrootTurn {
        try await LockWaiter.wait(busy: busy) {
            try await offload { () -> ChrootTurn? in
                guard let lock = try FileLock.attempt(store.path.appending("chroot.lock"), .exclusive) else {
                    return nil
                }
                return ChrootTurn(lock)
            }
        }
    }
}

extension StepIsolation {
    /// Whether two commands that run at once could pass each other descriptors of their roots, and so leave them: in a
    /// chroot, where the kernel's Landlock does not keep abstract sockets apart.
    package func needsTurns() throws -> Bool {
        try mode() == .chroot && !LandlockRules.isScoped(version: hostCapabilities().landlockVersion)
    }
}
