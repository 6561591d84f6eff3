import ArgumentParser
import Console
import Engine
import Glibc

/// The program: finds the command, runs it, and turns what went wrong into text and an exit status.
@main
struct Lamina: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lamina",
        abstract: "Builds OCI images from Dockerfiles without a daemon, ships them, and shows what is in them.",
        version: "lamina \(Version.current)",
        subcommands: [
            BuildCommand.self, ImagesCommand.self, HistoryCommand.self, InspectCommand.self, AnalyzeCommand.self,
            TagCommand.self, RemoveCommand.self, PullCommand.self, PushCommand.self, SaveCommand.self,
            LoadCommand.self, ImportCommand.self, RunCommand.self, BuildsCommand.self, ExplainCommand.self,
            DoctorCommand.self, DiskUsageCommand.self, PruneCommand.self, StoreCheckCommand.self,
            ParseCommand.self, ExpandCommand.self, ContextCommand.self, FormatCommand.self,
        ])

    static func main() async {
        // Whoever reads our output may leave before its end; writing to it then fails without harm.
        signal(SIGPIPE, SIG_IGN)
        // Scripts ask for the version before anything else; no command needs to be looked at for the answer.
        if CommandLine.arguments.dropFirst() == ["--version"] {
            OutputTerminal.standardOutput.write(configuration.version + "\n")
            return
        }
        do {
            let arguments = GlobalOptions.movedBehindCommand(Array(CommandLine.arguments.dropFirst()))
            var command = try parsed(CacheUseOptions.withPullValue(ReportOptions.separatingFormats(arguments)))
            if let command = command as? any UserNamespaceCommand {
                try UserNamespaceEntry.prepare(for: command)
            }
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            CommandResult.exitIfLost()
        } catch let status as ExitStatus {
            Glibc.exit(status.code)
        } catch {
            Self.exitWithUsage(error)
        }
    }

    /// Parses the arguments of the command that they name, which spares looking at all others; of what is wrong with them,
    /// and of the program itself, the tree of all commands speaks.
    private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
        let named = arguments.first.flatMap { name in
            configuration.subcommands.first { $0.configuration.commandName == name }
        }
        if let command = try? named?.parseAsRoot(Array(arguments.dropFirst())) { return command }
        return try parseAsRoot(arguments)
    }

    /// Help and the version are no failures; a wrong command line is 2, as for Docker's and most other tools.
    private static func exitWithUsage(_ error: any Error) -> Never {
        let text = fullMessage(for: error)
        guard exitCode(for: error) != .success else {
            OutputTerminal.standardOutput.write(text + "\n")
            Glibc.exit(0)
        }
        OutputTerminal.standardError.write(text + "\n")
        Glibc.exit(2)
    }
}

/// Ends the program with a status after everything was said.
struct ExitStatus: Error {
    let code: Int32

    /// A build or another operation failed.
    static let failure = ExitStatus(code: 1)
    /// A signal ended the work: 128 and its number, as a shell counts.
    static func interrupted(by signal: Int32) -> ExitStatus { ExitStatus(code: 128 + signal) }
}
