import Linux
package import OCI
import SystemPackage

/// Per-key locks, so that concurrent builds run a step once.
///
/// A claim is a lock on a file of its own, which goes away with it; what a killed build left, the collector removes.
/// Only who holds a lease may claim something.
package struct StepClaims: Sendable {
    static let folder = "claims"

    let root: StoreRoot

    /// Claims a key until the claim is dropped; `nil` when somebody has claimed it, in this process or another.
    package func attempt(_ key: Digest) throws -> HeldClaim? {
        let name = PathBytes("\(Self.folder)/\(key.hex)")
        let path = root.path.appending(name.text)
        return try root.explaining {
            while let lock = try FileLock.attempt(path, .exclusive) {
                // Who had it before removes the file: then it is another one that people look at.
                if try lock.isLock(of: path) { return HeldClaim(root: root, name: name, lock: lock) }
            }
            return nil
        }
    }
}

/// See ``StepClaims``.
package final class HeldClaim: Sendable {
    private let root: StoreRoot
    private let name: PathBytes
    private let lock: FileLock

    fileprivate init(root: StoreRoot, name: PathBytes, lock: consuming FileLock) {
        self.root = root
        self.name = name
        self.lock = lock
    }

    deinit { try? root.openDirectory().unlink(name) }
}
