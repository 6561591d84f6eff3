import ArgumentParser

struct BuildsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "builds", abstract: "List the builds that run and those of the past, and look into them.",
        discussion: """
            A build is named by its ID or the beginning of one, by ^N (^0 is the newest that has ended, ^1 the one \
            before), or by a name of its image; without a name it is the newest that has ended.
            """,
        subcommands: [
            BuildsListCommand.self, BuildsInspectCommand.self, BuildsLogsCommand.self, BuildsRemoveCommand.self,
        ],
        defaultSubcommand: BuildsListCommand.self)
}
