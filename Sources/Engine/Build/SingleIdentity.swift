import Diagnostics
import Linux
import Sandbox

/// What commands cannot do where there is one user and one group only: in the user namespace of somebody who has no
/// subordinate numbers.
extension BuildRunner {
    private static let hint =
        "This user has no subordinate numbers, so commands can neither change owners nor become another user; install "
        + "uidmap and run 'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER' as root."

    /// Throws ``EngineError`` `.isolation` for a user that there is no number for.
    static func require(_ user: ResolvedUser, _ abilities: SandboxAbilities) throws {
        let identities = abilities.identities
        guard !identities.users.contains(user.uid) || !identities.groups.contains(user.gid) else { return }
        throw EngineError(
            .isolation, "the command's user \(user.uid):\(user.gid) has no number in this build's user namespace",
            hint: identities.isSingle ? hint : "Give the user a larger range in /etc/subuid and /etc/subgid.")
    }

    /// Adds to the failure of a command what may be the reason for it.
    static func explaining<Value>(_ abilities: SandboxAbilities, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as EngineError where error.code == .runFailed {
            guard abilities.identities.isSingle, error.hint == nil else { throw error }
            throw EngineError(error.code, error.message, hint: hint, at: error.location, cause: error.cause)
        }
    }
}
