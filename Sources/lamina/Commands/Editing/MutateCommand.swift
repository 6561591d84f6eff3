import ArgumentParser
import Diagnostics
import Editing
import Engine
import OCI

struct MutateCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "mutate", abstract: "Make an image of another one without a build.",
        discussion: """
            Layers are removed or put together first; after that the config changes. The history of the new image tells \
            what was done. The time is SOURCE_DATE_EPOCH, if that is set.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: EditOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a variable.", valueName: "name=value"))
    var env: [String] = []

    @Option(
        name: .customLong("unsetenv"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Remove a variable.", valueName: "name"))
    var unsetVariables: [String] = []

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a label.", valueName: "name=value"))
    var label: [String] = []

    @Option(
        name: .customLong("unsetlabel"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Remove a label.", valueName: "name"))
    var unsetLabels: [String] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The entry point: a list in JSON, or a command for the shell; '' removes it.", valueName: "command"))
    var entrypoint: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The command: a list in JSON, or one for the shell; '' removes it.", valueName: "command"))
    var cmd: String?

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The user that a container runs as.", valueName: "user[:group]"))
    var user: String?

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The working directory.", valueName: "path"))
    var workdir: String?

    @Option(
        name: .customLong("stop-signal"), parsing: .unconditional,
        help: ArgumentHelp("The signal that stops a container.", valueName: "signal"))
    var stopSignal: String?

    @Option(
        parsing: .unconditionalSingleValue, help: ArgumentHelp("A port that a container listens on.", valueName: "port")
    )
    var expose: [String] = []

    @Option(parsing: .unconditional, help: ArgumentHelp("The author of the image.", valueName: "text"))
    var author: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set an annotation of the manifest.", valueName: "name=value"))
    var annotation: [String] = []

    @Option(
        name: .customLong("unsetannotation"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Remove an annotation of the manifest.", valueName: "name"))
    var unsetAnnotations: [String] = []

    @Option(
        help: ArgumentHelp("Remove layers with what is in them, such as 3, 2-5 or 3-.", valueName: "layers"))
    var strip: String?

    @Option(
        help: ArgumentHelp(
            "Make one layer of several: what upper layers remove is gone.",
            valueName: "layers"))
    var squash: String?

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    func validate() throws {
        guard strip == nil || squash == nil else {
            throw ValidationError("--strip and --squash do not go together: make one image of the other")
        }
    }

    func run() async throws {
        try await global.run {
            let strip = try strip.map { try LayerRange(parsing: $0) }
            let squash = try squash.map { try LayerRange(parsing: $0) }
            try await options.edit(image, by: Self.configuration.commandName, global, registries) { edited, editing in
                let diffIDs = edited.config.diffIDs
                if let strip {
                    try edited.strip(try strip.indices(of: diffIDs.count), by: "strip layers \(self.strip ?? "")")
                }
                if let squash {
                    let layers = try squash.indices(of: diffIDs.count)
                    let merged = try await editing.merged(layers, of: diffIDs)
                    try edited.squash(layers, into: merged, by: "squash layers \(self.squash ?? "")")
                }
                let changes = try changes(shell: edited.config.config.shell)
                for change in changes { try edited.apply(change) }
                try annotate(&edited)
                guard strip != nil || squash != nil || !changes.isEmpty || changesAnnotations else {
                    throw EditingError(
                        .nothing, "no option says what to change", hint: "See 'lamina mutate --help'.")
                }
            }
        }
    }

    private var changesAnnotations: Bool { !annotation.isEmpty || !unsetAnnotations.isEmpty }

    private func changes(shell: [String]?) throws -> [ConfigChange] {
        var changes: [ConfigChange] = unsetVariables.map { .unsetVariable($0) }
        for text in env {
            let (name, value) = try ConfigChange.pair(text, option: "--env")
            changes.append(.setVariable(name, value))
        }
        changes += unsetLabels.map { .unsetLabel($0) }
        for text in label {
            let (name, value) = try ConfigChange.pair(text, option: "--label")
            changes.append(.setLabel(name, value))
        }
        if let entrypoint {
            changes.append(
                .setEntrypoint(try ConfigChange.words(entrypoint, option: "--entrypoint", shell: shell)))
        }
        if let cmd { changes.append(.setCommand(try ConfigChange.words(cmd, option: "--cmd", shell: shell))) }
        if let user { changes.append(.setUser(user)) }
        if let workdir { changes.append(.setWorkingDirectory(workdir)) }
        if let stopSignal { changes.append(.setStopSignal(stopSignal)) }
        changes += expose.map { .addPort($0) }
        if let author { changes.append(.setAuthor(author)) }
        return changes
    }

    private func annotate(_ edited: inout EditedImage) throws {
        for name in unsetAnnotations { try edited.annotate(name, nil) }
        for text in annotation {
            let (name, value) = try ConfigChange.pair(text, option: "--annotation")
            try edited.annotate(name, value)
        }
    }
}
