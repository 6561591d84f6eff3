import ArgumentParser
import Console
import Containers
import Diagnostics
import Engine
import Execution
import Glibc
import Images
import Linux
import Requests
import SystemPackage
import Trees

struct RunCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a command in an image, in the sandbox that RUN has.",
        discussion: """
            The command works on a copy of the image's files that is thrown away when it ends; with a name, -d or \
            --rm=false it is a container that stays until it is removed. Exit status: that of the command, 128 and the \
            number of the signal that ended it, 127 when it is not in the image, 126 when it cannot be executed, 125 when \
            lamina itself fails.

            EXAMPLES:
              lamina run app
              lamina run -it -v "$PWD:/src" -w /src app sh
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var words: RunWords

    @Flag(name: .shortAndLong, help: "Print the ID of the container, and let it run on without a terminal.")
    var detach = false

    func needsUserNamespace() -> Bool { words.needsUserNamespace }

    func run() async throws {
        try ForeignVariables.check(GlobalOptions.environment)
        let request = try words.request(of: Self.self, isDebug: global.debug)
        let runner = ContainerRunner(global: global)
        guard detach || !(request.hasTerminal && request.isInteractive) || isatty(STDIN_FILENO) == 1 else {
            // As with docker, which finds it before it asks its daemon for anything.
            tell("lamina: the input device is not a TTY")
            throw ExitStatus.failure
        }
        guard detach || words.containers.isKept else {
            return try await runner.run { [global, words] link in
                let images = try global.images(words.registries)
                return try await images.closingRegistry {
                    try await ImageRun(request, images: images).run(link) { tell($0) }
                }
            }
        }
        try await runner.run { [global, words, detach] link in
            let images = try global.images(words.registries)
            return try await images.closingRegistry {
                let container = try await words.create(request, images)
                guard detach else { return try await runner.attach(to: container, images, link, isNew: true) }
                try await offload {
                    do { try SupervisorProcess.start(container, in: images.store) } catch {
                        if container.record.removesItself { try? ContainerStore(images.store).remove(container) }
                        throw error
                    }
                }
                say(container.id)
                return 0
            }
        }
    }
}

/// The file that `--cidfile` names.
enum CIDFile {
    /// Writes the ID of what `make` makes. Throws ``CommandError`` when the file exists already.
    static func creating(_ path: String?, _ make: () async throws -> Container) async throws -> Container {
        guard let path else { return try await make() }
        guard (try? FileStatus(of: FilePath(path))) == nil else {
            throw CommandError(
                .badOutput, "container ID file found, make sure the other container isn't running or delete \(path)")
        }
        let container = try await make()
        try FileSystem.write(Array(container.id.utf8), to: FileSystem.absolute(FilePath(path)))
        return container
    }
}
