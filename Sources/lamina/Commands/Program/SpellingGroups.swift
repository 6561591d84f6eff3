import ArgumentParser
import Console
import OCI
import Requests

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
        discussion: CommandSpellings.list(of: "buildx"), subcommands: [BuildxListCommand.self])
}

struct BuildxListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the one builder that there is.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        var table = Table(headers: ["NAME/NODE", "DRIVER/ENDPOINT", "STATUS", "VERSION", "PLATFORMS"])
        table.append(["default*", "lamina", "running", Version.current, Platform.host.description])
        for line in table.lines() { say(line) }
    }
}

/// The group of Docker's spellings for the store and this machine.
struct SystemGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system", abstract: "Docker's spellings for the store: system df, system prune, …",
        discussion: CommandSpellings.list(of: "system"))

    func run() throws { throw CleanExit.helpRequest(self) }
}
