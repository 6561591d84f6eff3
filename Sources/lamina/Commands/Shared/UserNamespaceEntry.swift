import ArgumentParser
import Console
import Diagnostics
import Execution
import Glibc
import Linux
import Store

/// A command that reads or removes the files of layers, or runs commands, which an unprivileged user does as the root
/// of a user namespace.
protocol UserNamespaceCommand: AsyncParsableCommand {
    var global: GlobalOptions { get }

    /// Whether it will need one, as far as that can be told before anything is done; a store with files of other users
    /// does in any case.
    func needsUserNamespace() -> Bool
}

extension UserNamespaceCommand {
    func needsUserNamespace() -> Bool { false }
}

enum UserNamespaceEntry {
    /// Whether the user who called this program is root, whatever this process has become since.
    static var isRootOutside: Bool {
        geteuid() == 0 && (!UserNamespace.isEntered || IDMaps.current.users.outside(0) == 0)
    }

    /// Whether this process makes files that the user who called it cannot remove without it.
    static var givesFilesAway: Bool {
        UserNamespace.isEntered && !isRootOutside && !IDMaps.current.isSingle
    }

    /// Moves this process to a user namespace if the command needs one and this process can have one.
    ///
    /// Before anything else: the program begins again. If that fails, the failure is printed and ends the program.
    static func prepare(for command: any UserNamespaceCommand) throws {
        do { try enter(for: command) } catch {
            ErrorRenderer(isDebug: command.global.debug).print(error)
            throw ExitStatus.failure
        }
    }

    /// Begins the program again in a user namespace if the failure was that it is not in one: a base image may bring
    /// commands that nobody could know of.
    static func retry(after error: any Error) throws {
        guard let error = error as? any AnyFailure, error.codeName == ExecutionCode.outsideUserNamespace.rawValue,
            !UserNamespace.isEntered
        else { return }
        try UserNamespace.enterIfPossible()
    }

    private static func enter(for command: any UserNamespaceCommand) throws {
        try UserNamespace.checkEntry()
        guard !UserNamespace.isEntered else { return }
        let store = try? command.global.storePath()
        let holdsForeignFiles = geteuid() != 0 && (store.map { StoreRoot.hasSubordinates(at: $0) } ?? false)
        guard holdsForeignFiles || command.needsUserNamespace() else { return }
        try UserNamespace.enterIfPossible()
    }
}
