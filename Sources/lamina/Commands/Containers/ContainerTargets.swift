import ArgumentParser
import Containers
import Diagnostics
import Execution
import Linux
import Requests

/// A command that reads or changes the files of containers, for which an unprivileged user needs a user namespace.
protocol ContainerFilesCommand: UserNamespaceCommand {}

extension ContainerFilesCommand {
    func needsUserNamespace() -> Bool { Optional<Isolation>.none.needsUserNamespace }
}

extension GlobalOptions {
    /// Does something with each of several containers and prints its name as it was given. A failure is printed and does
    /// not keep the others from it; the last one is thrown.
    func forEachContainer(
        _ names: [String], _ body: @escaping @Sendable (Container) async throws -> Void
    ) async throws {
        try await run {
            let containers = try ContainerStore(store())
            var failure: (any Error)?
            for name in names {
                do {
                    try await body(try containers.find(name))
                    say(name)
                } catch {
                    if let failure { ErrorRenderer(isDebug: debug).print(failure) }
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }
}
