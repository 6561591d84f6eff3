import ArgumentParser

/// The group of commands for indexes: images of several platforms under one name.
struct IndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "Put images of several platforms under one name.",
        discussion: """
            An index is named as in 'lamina copy': docker://NAME is one in a registry, which is changed there; a plain name \
            is one of the store.
            """,
        subcommands: [
            IndexCreateCommand.self, IndexAddCommand.self, IndexRemoveCommand.self, IndexAnnotateCommand.self,
            IndexInspectCommand.self, IndexPushCommand.self,
        ])
}
