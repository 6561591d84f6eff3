import ArgumentParser
import Glibc
import Linux
import SystemPackage
import Trees

/// The command line of kaniko's executor; ``ExecutorCommandLine`` makes one of `lamina build` of it before it is parsed.
struct ExecutorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "executor", abstract: "Build and push with the flags of kaniko's executor.",
        usage: "lamina executor --context <context> --destination <name> [--dockerfile <file>] …",
        discussion: """
            A program file named executor takes these flags, too. Options of 'lamina build' that kaniko does not have, \
            such as --secret and --root, may be added.

            \(list)
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws { throw CleanExit.helpRequest(self) }

    /// The flags and what becomes of them, a line each.
    private static var list: String {
        ExecutorFlags.all.map { flag in
            "--\(flag.name)\(flag.form == .value ? " <value>" : ""): \(flag.verdict.sentence)"
        }.joined(separator: "\n")
    }

    /// The words of this program's command line, translated where it is one of the executor's, by its first word or by
    /// the name of the program's file.
    ///
    /// - Throws: ``CommandLineError``.
    static func translated(_ arguments: [String]) throws(CommandLineError) -> [String] {
        let program = arguments.first.flatMap { FilePath($0).lastComponent?.string }
        var words = Array(arguments.dropFirst())
        if program != "executor" {
            guard words.first == "executor" else { return words }
            words.removeFirst()
        }
        let line = try ExecutorCommandLine(
            words,
            ExecutorCommandLine.Surroundings(
                environment: GlobalOptions.currentEnvironment(),
                hasFile: { (try? FileStatus(of: FilePath($0)).type) == .regular },
                absolute: { FileSystem.absolute(FilePath($0)).string }))
        // Kaniko needs no daemon, and pipelines set this for other jobs.
        unsafe unsetenv("DOCKER_HOST")
        for (name, value) in line.variables { unsafe setenv(name, value, 1) }
        return line.words
    }
}

extension BuilderFlag.Verdict {
    /// The verdict as a sentence for people.
    var sentence: String {
        switch self {
        case .works: "works"
        case .means(let words): "means \(words.joined(separator: " "))"
        case .accepted(let reason): "accepted: \(reason)"
        case .acceptedAs(let values, let reason, let sentence):
            "\(values.joined(separator: ", ")) accepted: \(reason); else refused: \(sentence)"
        case .acceptedElse(let values, let reason, let words):
            "\(values.joined(separator: ", ")) accepted: \(reason); else means \(words.joined(separator: " "))"
        case .refused(let sentence): "refused: \(sentence)"
        }
    }
}
