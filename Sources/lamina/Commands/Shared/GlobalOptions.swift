import ArgumentParser
import Console
import Engine
import Glibc
import Images
import OCI
import Registry
import Store
import SystemPackage

/// The options that every command has.
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

    /// The path of the store, whether or not it exists.
    func storePath() throws -> FilePath {
        let path =
            try root.map { FilePath($0) }
            ?? StoreRoot.defaultRoot(environment: Self.environment, isRoot: UserNamespaceEntry.isRootOutside)
        return path.isAbsolute ? path : Self.workingDirectory.pushing(path)
    }

    /// The images of the store, for a command that reaches no registry.
    func images(_ mode: StoreRoot.Mode = .readWrite) throws -> ImageTransfer {
        ImageTransfer(store: try store(mode), registry: RegistryAccess(RegistrySettings(environment: Self.environment)))
    }

    /// The images of the store, with access to registries; `login` is for the registry of `reference`.
    func images(
        _ registries: RegistryOptions, _ login: LoginOption? = nil, for reference: ImageReference? = nil
    ) throws -> ImageTransfer {
        let settings = try registries.settings(login, for: reference?.registry ?? "")
        return ImageTransfer(store: try store(), registry: RegistryAccess(settings))
    }

    /// The environment of this process as it was when this was first read.
    static let environment = currentEnvironment()

    static func currentEnvironment() -> [String: String] {
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
    }

    private static var workingDirectory: FilePath {
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(path) }
        return unsafe FilePath(String(cString: path))
    }
}

extension GlobalOptions {
    /// Runs the work of a command, prints its failure and throws the exit status for it.
    ///
    /// The first SIGINT, SIGTERM or SIGHUP cancels the work, which cleans up; another SIGINT or SIGTERM ends the program
    /// at once. A failure is status 1, a signal 128 and its number. `canceled` is the line to print after a signal.
    @discardableResult
    func run<Value: Sendable>(
        canceled: String = "lamina: canceled", _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        if debug {
            for note in ForeignVariables.notes(Self.environment) {
                tell("lamina: \(note)")
            }
        }
        let interrupts = Interrupts()
        let task = Task { try await body() }
        interrupts.onFirst { task.cancel() }
        defer { withExtendedLifetime(interrupts) {} }
        do {
            return try await task.value
        } catch {
            if let signal = interrupts.signal {
                tell(canceled)
                throw ExitStatus.interrupted(by: signal)
            }
            if error is ExitStatus { throw error }
            ErrorRenderer(isDebug: debug).print(error)
            throw ExitStatus.failure
        }
    }
}

/// Prints a line of a command's result on the standard output.
func say(_ line: String) { CommandResult.write(Array("\(line)\n".utf8)) }

/// Prints a line of a message on the standard error.
func tell(_ line: String) { OutputTerminal.standardError.write("\(line)\n") }
