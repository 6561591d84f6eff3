import Diagnostics
import Graph
import Linux
import Sandbox

/// Limits of commands where there is one user and one group only: in the user namespace of a user who has no
/// subordinate numbers.
extension BuildRunner {
    /// Throws ``EngineError`` `.isolation` for a user that there is no number for.
    static func require(_ user: ResolvedUser, _ hostCapabilities: HostCapabilities) throws {
        guard !hostCapabilities.identities.contain((user.uid, user.gid)) else { return }
        throw EngineError(
            .isolation, "the command's user \(user.uid):\(user.gid) has no number in this build's user namespace",
            hint: hostCapabilities.identities.hint)
    }

    /// Throws ``EngineError`` `.isolation` for a mount that is to belong to somebody there is no number for.
    static func require(ownersIn mounts: [RunMount], _ hostCapabilities: HostCapabilities) throws {
        for mount in mounts {
            let owner: (uid: UInt32, gid: UInt32)? =
                switch mount {
                case .bind, .tmpfs: nil
                case .cache(let cache): cache.attributes.map { ($0.uid, $0.gid) }
                case .secret(let secret): (secret.uid, secret.gid)
                case .ssh(let ssh): (ssh.uid, ssh.gid)
                }
            guard let owner, !hostCapabilities.identities.contain(owner) else { continue }
            throw EngineError(
                .isolation,
                "the owner \(owner.uid):\(owner.gid) of a mount has no number in this build's user namespace",
                hint: hostCapabilities.identities.hint)
        }
    }

    /// Adds to the failure of a command what may be the reason for it.
    static func explaining<Value>(_ hostCapabilities: HostCapabilities, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as EngineError where error.code == .runFailed {
            guard hostCapabilities.identities.isSingle, error.hint == nil else { throw error }
            throw EngineError(
                error.code, error.message, hint: hostCapabilities.identities.hint, at: error.location,
                cause: error.cause)
        }
    }
}

extension IDMaps {
    fileprivate func contain(_ owner: (uid: UInt32, gid: UInt32)) -> Bool {
        users.contains(owner.uid) && groups.contains(owner.gid)
    }

    /// The hint for a number that is missing.
    fileprivate var hint: String {
        isSingle
            ? "This user has no subordinate numbers, so commands can neither change owners nor become another user; "
                + "install uidmap and run 'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER' as root."
            : "Give the user a larger range in /etc/subuid and /etc/subgid."
    }
}
