import ArgumentParser
import Console
import DockerfileSyntax
import Glibc
import Linux
import SystemPackage

struct FormatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fmt", abstract: "Format Dockerfiles without changing their meaning.",
        discussion: "Without --write or --check the result is printed. Commands, comments and here-documents stay.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Change nothing; print what would change, and end with 1 if anything would.")
    var check = false

    @Flag(name: .shortAndLong, help: "Write the result to the file.")
    var write = false

    @Flag(name: .shortAndLong, help: "With --check, print only the names of the files that would change.")
    var quiet = false

    @Argument(help: ArgumentHelp("Dockerfiles, or - for the standard input.", valueName: "file"))
    var files: [String]

    func validate() throws {
        if check, write { throw ValidationError("--check and --write contradict each other") }
        if quiet, !check { throw ValidationError("--quiet needs --check") }
        if write, files.contains("-") { throw ValidationError("the standard input cannot be written to") }
    }

    func run() async throws {
        try await global.run {
            var isRight = true
            for file in files {
                let source = try SourceText(reading: file)
                // A file with an error does not keep the others from being formatted.
                guard let formatted = try? source.parsed(isDebug: global.debug, Dockerfile.formatted) else {
                    isRight = false
                    continue
                }
                if check, formatted != source.bytes { isRight = false }
                try finish(source, formatted)
            }
            if !isRight { throw ExitStatus.failure }
        }
    }

    private func finish(_ source: SourceText, _ formatted: [UInt8]) throws {
        guard check || write else { return CommandResult.write(formatted) }
        guard formatted != source.bytes else { return }
        if write { return try FilePath(source.name).replaceContent(with: formatted) }
        if quiet { return say(source.name) }
        let diff = UnifiedDiff(
            from: source.bytes, named: source.name, to: formatted, named: "\(source.name) (formatted)")
        CommandResult.write(diff.bytes)
    }
}

extension FilePath {
    /// Puts a new file with the same owner and permissions in the place of this one, or of what it links to: whatever
    /// happens, the old content or the new one is there.
    fileprivate func replaceContent(with bytes: [UInt8]) throws {
        let path = try resolved()
        guard let name = path.lastComponent.map({ PathBytes($0.string) }) else { return }
        let parent = path.removingLastComponent()
        let directory = try Directory(opening: parent.isEmpty ? "." : parent)
        let status = try directory.status(name)
        let temporary = PathBytes(".\(name).\(ProcessIdentity.current)")
        do {
            let file = try directory.create(temporary, permissions: 0o600)
            try file.write(bytes.span)
            try file.synchronize()
            try directory.setOwner(temporary, status.owner, status.group)
            try directory.setPermissions(temporary, status.permissions)
            try directory.rename(temporary, to: name, in: directory)
        } catch {
            try? directory.unlink(temporary)
            throw error
        }
    }

    /// The path without links. The corresponding function is `realpath(3)`.
    private func resolved() throws -> FilePath {
        guard let path = unsafe realpath(string, nil) else { throw LinuxError(Errno(rawValue: errno), "resolve", self) }
        defer { unsafe free(path) }
        return unsafe FilePath(String(cString: path))
    }
}
