import Diagnostics
package import Graph
package import Linux
package import Sandbox

/// Limits of commands where there is one user and one group only: in the user namespace of a user who has no
/// subordinate numbers.
extension HostCapabilities {
    /// Throws ``ExecutionError`` `.isolation` for a user that there is no number for.
    package func requireNumber(for user: ResolvedUser) throws {
        guard !identities.contain((user.uid, user.gid)) else { return }
        throw ExecutionError(
            .isolation, "the command's user \(user.uid):\(user.gid) has no number in this build's user namespace",
            hint: identities.hint)
    }

    /// Throws ``ExecutionError`` `.isolation` for a mount that is to belong to somebody there is no number for.
    package func requireNumbers(forOwnersOf mounts: [RunMount]) throws {
        for mount in mounts {
            let owner: (uid: UInt32, gid: UInt32)? =
                switch mount {
                case .bind, .tmpfs: nil
                case .cache(let cache): cache.attributes.map { ($0.uid, $0.gid) }
                case .secret(let secret): (secret.uid, secret.gid)
                case .ssh(let ssh): (ssh.uid, ssh.gid)
                }
            guard let owner, !identities.contain(owner) else { continue }
            throw ExecutionError(
                .isolation,
                "the owner \(owner.uid):\(owner.gid) of a mount has no number in this build's user namespace",
                hint: identities.hint)
        }
    }
}

extension IDMaps {
    fileprivate func contain(_ owner: (uid: UInt32, gid: UInt32)) -> Bool {
        users.contains(owner.uid) && groups.contains(owner.gid)
    }

    /// The hint for a number that is missing.
    package var hint: String {
        isSingle
            ? "This user has no subordinate numbers, so commands can neither change owners nor become another user; "
                + "install uidmap and run 'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER' as root."
            : "Give the user a larger range in /etc/subuid and /etc/subgid."
    }
}
