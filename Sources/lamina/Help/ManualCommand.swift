import ArgumentParser
import Linux
import OCI
import SystemPackage
import Trees

struct ManualCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Write the pages of the manual, for man(1), into a directory.",
        discussion: "Packages have them in share/man/man1.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The directory, which is made if it is not there.") var directory: String

    func run() async throws {
        try await global.run {
            let tool = try JSON(parsing: Array(Lamina._dumpHelp().utf8))
            guard let command = tool["command"] else { return }
            let path = FilePath(directory)
            try FileSystem.makeDirectories(path)
            for page in ManualPage.all(of: command, version: ProgramVersion.text) {
                try FileSystem.write(Array(page.text.utf8), to: path.appending(page.fileName))
            }
        }
    }
}
