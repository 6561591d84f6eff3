import ArgumentParser
import Progress

/// The option `--progress` of commands that transfer layers.
struct TransferProgressOption: ParsableArguments {
    @Option(help: ArgumentHelp("How to show progress: auto, plain, tty, quiet or rawjson.", valueName: "mode"))
    var progress: String?

    func validate() throws {
        guard let progress, ProgressMode(rawValue: progress) == nil else { return }
        throw ValidationError("invalid progress mode '\(progress)': use auto, plain, tty, quiet or rawjson")
    }

    /// The mode to show. Where only a name or a document is printed, nothing is shown unless it is asked for.
    func mode(isQuiet: Bool) -> ProgressMode {
        progress.flatMap(ProgressMode.init) ?? (isQuiet ? .quiet : .auto)
    }
}
