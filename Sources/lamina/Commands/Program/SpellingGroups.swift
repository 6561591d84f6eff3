import ArgumentParser

/// The group of Docker's spellings for the build cache.
struct BuilderGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "builder", abstract: "Docker's spellings for the build cache: builder prune, …",
        discussion: CommandSpellings.list(of: "builder"))

    func run() throws { throw CleanExit.helpRequest(self) }
}

/// The group of buildx's spellings.
struct BuildxGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "buildx", abstract: "Buildx's spellings: buildx build, …",
        discussion: CommandSpellings.list(of: "buildx"),
        subcommands: [
            BuildxListCommand.self, BuildxCreateCommand.self, BuildxUseCommand.self, BuildxInspectCommand.self,
            BuildxRemoveCommand.self, BuildxStopCommand.self,
        ])
}

/// The group of Docker's spellings for the store and this machine.
struct SystemGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system", abstract: "Docker's spellings for the store: system df, system prune, …",
        discussion: CommandSpellings.list(of: "system"), subcommands: [SystemPruneCommand.self])

    func run() throws { throw CleanExit.helpRequest(self) }
}
