import ArgumentParser
import CBuildInfo
import GoCompat
import OCI
import Requests

struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Show the version of this program.",
        discussion: "With --format, Client and Server are both this program: there is no daemon.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("json, or a template such as '{{.Client.Version}}'.", valueName: "format"))
    var format: String?

    func run() async throws {
        try await global.run {
            guard let format else { return say(ProgramVersion.text) }
            say(try GoTemplate(format: format).render(Self.facts))
        }
    }

    /// The document of `--format`: keys as `docker version` has them.
    private static var facts: JSON {
        let commit = unsafe String(cString: lamina_build_commit())
        let program = JSON.object(
            ("Version", .string(Version.current)), ("GitCommit", .string(commit)), ("Os", .string(Platform.host.os)),
            ("Arch", .string(Platform.host.architecture)))
        return .object(
            ("Schema", .integer(1)), ("Name", .string("lamina")), ("Client", program), ("Server", program))
    }
}
