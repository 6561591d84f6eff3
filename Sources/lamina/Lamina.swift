import ArgumentParser
import Console
import Engine
import Glibc
import Linux

/// The program: parses the command line, runs the command, and ends with its exit status.
@main
struct Lamina: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lamina",
        abstract: "Builds OCI images from Dockerfiles without a daemon, ships them, and shows what is in them.",
        version: ProgramVersion.text,
        subcommands: [
            BuildCommand.self,
            VerifyBuildCommand.self,
            RebuildCommand.self,
            ExecutorCommand.self,
            ImagesCommand.self,
            HistoryCommand.self,
            InspectCommand.self,
            AnalyzeCommand.self,
            DiffCommand.self,
            TagCommand.self,
            RemoveCommand.self,
            ListFilesCommand.self,
            CatCommand.self,
            FindCommand.self,
            ExtractCommand.self,
            SBOMCommand.self,
            CheckLazyCommand.self,
            MutateCommand.self,
            AppendCommand.self,
            FlattenCommand.self, RechunkCommand.self,
            RebaseCommand.self,
            PullCommand.self,
            PushCommand.self,
            LoginCommand.self,
            LogoutCommand.self,
            CopyCommand.self,
            SyncCommand.self,
            IndexCommand.self,
            ListTagsCommand.self,
            CatalogCommand.self,
            SearchCommand.self,
            DeleteCommand.self,
            DigestCommand.self,
            ManifestCommand.self,
            SaveCommand.self,
            LoadCommand.self,
            ImportCommand.self,
            ExportCommand.self,
            UnpackCommand.self,
            RunCommand.self,
            CreateCommand.self,
            StartCommand.self,
            ListContainersCommand.self,
            ContainerLogsCommand.self,
            ExecCommand.self,
            StopCommand.self,
            RestartCommand.self,
            KillCommand.self,
            WaitCommand.self,
            RemoveContainersCommand.self,
            CopyFilesCommand.self,
            CommitCommand.self,
            RenameCommand.self,
            PortCommand.self,
            VolumeGroup.self,
            SuperviseCommand.self,
            BuildsCommand.self,
            ExplainCommand.self,
            DoctorCommand.self,
            DiskUsageCommand.self,
            PruneCommand.self,
            StoreCheckCommand.self,
            ParseCommand.self,
            ExpandCommand.self,
            ContextCommand.self,
            FormatCommand.self,
            VersionCommand.self,
            InfoCommand.self,
            ConfigCommand.self,
            CompletionCommand.self,
            ManualCommand.self,
            ImageGroup.self,
            ContainerGroup.self,
            BuilderGroup.self,
            BuildxGroup.self,
            SystemGroup.self,
        ])

    static func main() async {
        StandardDescriptors.occupy()
        MemoryAllocator.limit()
        // A reader may leave before the end of our output; the write then fails with EPIPE.
        signal(SIGPIPE, SIG_IGN)
        // Scripts ask for the version before anything else, and no command is needed to answer.
        if [["--version"], ["-v"]].contains(ProgramArguments.all.dropFirst()) {
            say(configuration.version)
            CommandResult.exitIfLost()
            return
        }
        do {
            let words = try withoutLeadingFlags(ExecutorCommand.translated(ProgramArguments.all))
            if words.first == CompletionCommand.request {
                CompletionCommand.complete(Array(words.dropFirst()))
                return
            }
            if words.count == 2, words[0] == "help", let text = try Pages.help(words[1]) {
                CommandResult.write(Array(text.utf8))
                CommandResult.exitIfLost()
                return
            }
            let defaults: CommandLineNormalizer.Defaults = { command, grammar, mentioned throws(CommandLineError) in
                guard ConfiguredDefaults.concern(command, mentioned) else { return [] }
                return try ConfiguredDefaults(environment: GlobalOptions.environment)
                    .words(for: command, grammar, mentioned: mentioned)
            }
            var command = try parsed(CommandLineNormalizer.normalized(words, defaults: defaults))
            if command is any AsyncParsableCommand { requireProcesses() }
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
        } catch let error as UsageError {
            tell(error.text)
            Glibc.exit(ExitStatus.usage.code)
        } catch let error as CommandLineError {
            tell("lamina: \(error.message)")
            Glibc.exit(ExitStatus.usage.code)
        } catch {
            Self.exitWithUsage(error)
        }
    }

    /// Takes what other tools have before the command, and sets the variables of the environment that it stands for.
    private static func withoutLeadingFlags(_ words: [String]) throws(CommandLineError) -> [String] {
        guard words.first?.hasPrefix("-") == true || words.first == "buildx" else { return words }
        let taken = try LeadingFlags.taken(from: words)
        // No other thread reads the environment yet.
        for (name, value) in taken.variables { unsafe setenv(name, value, 1) }
        return taken.words
    }

    /// Ends the program with a sentence where `/proc` is not mounted: the library that runs its threads traps there.
    private static func requireProcesses() {
        guard unsafe access("/proc/self/stat", F_OK) != 0 else { return }
        tell("lamina: /proc is not mounted: mount it with 'mount -t proc proc /proc'")
        Glibc.exit(ExitStatus.failure.code)
    }

    /// Parses the arguments with the command that they name, which spares the parser all other commands.
    ///
    /// If that fails, the tree of all commands parses them again, for the message and for help.
    private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
        let named = arguments.first.flatMap { name in
            configuration.subcommands.first { $0.configuration.commandName == name }
        }
        if let command = try? named?.parseAsRoot(Array(arguments.dropFirst())), !isHelp(command) { return command }
        return try parseAsRoot(arguments)
    }

    /// Whether a command is the parser's own, which knows the name of the command that it was parsed with alone.
    private static func isHelp(_ command: any ParsableCommand) -> Bool {
        type(of: command).configuration.commandName == "help"
    }

    /// The help that arguments ask for; `nil` when they ask for none.
    static func help(for arguments: [String]) -> String? {
        do {
            var command = try parseAsRoot(arguments)
            guard isHelp(command) else { return nil }
            try command.run()
            return nil
        } catch {
            return exitCode(for: error) == .success ? HelpText(parsed: fullMessage(for: error)).text : nil
        }
    }

    /// Prints help and the version, which are no failures, or what is wrong with the command line.
    private static func exitWithUsage(_ error: any Error) -> Never {
        let text = fullMessage(for: error)
        guard exitCode(for: error) != .success else {
            say(HelpText(parsed: text).text)
            CommandResult.exitIfLost()
            Glibc.exit(0)
        }
        tell(text)
        Glibc.exit(ExitStatus.usage.code)
    }
}

/// An exit status of the program, thrown after the reason for it was printed.
struct ExitStatus: Error {
    let code: Int32

    /// A build or another operation failed.
    static let failure = ExitStatus(code: 1)
    /// The command line is wrong, as with Docker and most other tools.
    static let usage = ExitStatus(code: 2)
    /// A signal ended the work: 128 and its number, as in a shell.
    static func interrupted(by signal: Int32) -> ExitStatus { ExitStatus(code: 128 + signal) }
}
