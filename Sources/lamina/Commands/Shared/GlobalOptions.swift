import ArgumentParser
import Console
import Engine
import Glibc
import OCI
import Store
import SystemPackage

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .customLong("root"),
        help: ArgumentHelp("Directory of the store (LAMINA_ROOT; /var/lib/lamina for root).", valueName: "dir"))
    var root: String?

    @Flag(name: [.customShort("D"), .customLong("debug")], help: "Print codes and causes of errors.")
    var debug = false

    /// The store, opened for changes or for reading only.
    func store(_ mode: StoreRoot.Mode = .readWrite) throws -> StoreRoot {
        let store = try StoreRoot(at: storePath(), mode: mode)
        if UserNamespaceEntry.givesFilesAway { try store.noteSubordinates() }
        return store
    }

    /// Where the store is, or will be.
    func storePath() throws -> FilePath {
        let path =
            try root.map { FilePath($0) }
            ?? StoreRoot.defaultRoot(environment: Self.environment, isRoot: UserNamespaceEntry.isRootOutside)
        return path.isAbsolute ? path : Self.workingDirectory.pushing(path)
    }

    /// The images of the store, with a way to registries.
    func images(_ mode: StoreRoot.Mode = .readWrite) throws -> ImageTransfer {
        ImageTransfer(store: try store(mode), registry: RegistryAccess(environment: Self.environment))
    }

    static let environment: [String: String] = {
        var variables: [String: String] = [:]
        var pointer = unsafe environ
        while let entry = unsafe pointer.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            unsafe pointer += 1
        }
        return variables
    }()

    private static var workingDirectory: FilePath {
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(path) }
        return unsafe FilePath(String(cString: path))
    }

    /// How many of the first arguments name a command and its subcommand.
    private static func commandLength(of arguments: ArraySlice<String>) -> Int {
        var commands = Lamina.configuration.subcommands
        var count = 0
        while let next = arguments.dropFirst(count).first,
            let command = commands.first(where: {
                $0.configuration.commandName == next || $0.configuration.aliases.contains(next)
            })
        {
            commands = command.configuration.subcommands
            count += 1
        }
        return count
    }

    /// Lets the options stand before the command too, as in `lamina --root DIR build`.
    static func movedBehindCommand(_ arguments: [String]) -> [String] {
        var options: [String] = []
        var rest = arguments[...]
        while let first = rest.first {
            if first == "--root", rest.count > 1 {
                options += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if first.hasPrefix("--root=") || first == "-D" || first == "--debug" {
                options.append(first)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        guard !rest.isEmpty, !options.isEmpty else { return arguments }
        let command = rest.prefix(max(1, commandLength(of: rest)))
        return command + options + rest.dropFirst(command.count)
    }
}

extension GlobalOptions {
    /// Runs a command's work: the first Ctrl-C, SIGTERM or SIGHUP cancels it and lets it clean up, the second ends the
    /// program at once. What goes wrong is printed, and ends the program with 1; a signal ends it with 128 and its number.
    ///
    /// `canceled` is what is printed when it was cancelled.
    func run(
        canceled: String = "lamina: canceled", _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let interrupts = Interrupts()
        let task = Task { try await body() }
        interrupts.onFirst { task.cancel() }
        defer { withExtendedLifetime(interrupts) {} }
        do {
            try await task.value
        } catch {
            if let signal = interrupts.signal {
                OutputTerminal.standardError.write(canceled + "\n")
                throw ExitStatus.interrupted(by: signal)
            }
            if error is ExitStatus { throw error }
            for line in ErrorRenderer(isDebug: debug).lines(for: error, isBuild: false) {
                OutputTerminal.standardError.write(line + "\n")
            }
            throw ExitStatus.failure
        }
    }
}

/// Prints a line of a command's result.
func say(_ line: String) { CommandResult.write(Array("\(line)\n".utf8)) }
