import ArgumentParser
import Console
import Containers
import Diagnostics
import DockerfileSyntax
import Linux
import OCI
import Sandbox
import Store

struct ContainerLogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what the command of a container has written.",
        discussion: "For the logs of builds see 'lamina builds logs'.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Go on until the container ends.")
    var follow = false

    @Flag(name: .shortAndLong, help: "Show the time of each line.")
    var timestamps = false

    @Option(
        name: [.customShort("n"), .customLong("tail")],
        help: ArgumentHelp("Only so many of the last lines, or all.", valueName: "number"))
    var tail = "all"

    @Option(
        help: ArgumentHelp(
            "Only lines since a time, such as 2026-01-31T12:00:00Z, or 10m for the last ten minutes.", valueName: "time"
        ))
    var since: String?

    @Option(help: ArgumentHelp("Only lines before a time.", valueName: "time"))
    var until: String?

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "container"))
    var container: String

    func validate() throws {
        guard tail == "all" || Int(tail) != nil else {
            throw ValidationError("--tail takes a number or 'all', and '\(tail)' is neither")
        }
    }

    func run() async throws {
        let now = Timestamp.now
        let first = try Self.checkingUsage { try since.map { try Self.time($0, now: now) } }
        let last = try Self.checkingUsage { try until.map { try Self.time($0, now: now) } }
        try await global.run { try await print(first, last) }
    }

    private func print(_ since: Timestamp?, _ until: Timestamp?) async throws {
        let found = try ContainerStore(global.store()).find(container)
        guard var reader = try ContainerLogReader(found) else { return }
        let limit = Int(tail).map { max(0, $0) }
        var lines: [ContainerLogLine] = []
        while let line = try reader.next() {
            guard Self.isShown(line, since, until) else { continue }
            guard let limit else {
                write(line)
                continue
            }
            lines.append(line)
            if lines.count > 2 * limit + 1000 { lines.removeFirst(lines.count - limit) }
        }
        for line in lines.suffix(limit ?? 0) { write(line) }
        guard follow else { return }
        while true {
            // Looked at before reading: what was written until then is read.
            let isRunning = (try? found.reloaded())?.isRunning ?? false
            while let line = try reader.next() {
                if Self.isShown(line, since, until) { write(line) }
            }
            guard isRunning else { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func isShown(_ line: ContainerLogLine, _ since: Timestamp?, _ until: Timestamp?) -> Bool {
        let isLater = since.map { $0.fileTime <= line.time.fileTime } ?? true
        let isEarlier = until.map { line.time.fileTime < $0.fileTime } ?? true
        return isLater && isEarlier
    }

    private func write(_ line: ContainerLogLine) {
        let prefix = timestamps ? Array("\(line.time) ".utf8) : []
        let ending: [UInt8] = timestamps && line.bytes.last != UInt8(ascii: "\n") ? [UInt8(ascii: "\n")] : []
        if line.stream == .standardOutput {
            CommandResult.write(prefix + line.bytes + ending)
        } else {
            _ = OutputTerminal.standardError.write(prefix + line.bytes + ending)
        }
    }

    private static func time(_ text: String, now: Timestamp) throws -> Timestamp {
        if let time = Timestamp(parsing: text) { return time }
        if let time = Timestamp(parsing: text + "Z") ?? Timestamp(parsing: text + "T00:00:00Z") { return time }
        if let seconds = Int64(text) { return Timestamp(seconds: seconds) }
        guard let duration = try? GoDuration.nanoseconds(text) else {
            throw ValidationError("'\(text)' is neither a time nor a duration such as 10m")
        }
        let nanoseconds =
            now.seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue + Int64(now.nanoseconds) - duration
        return Timestamp(seconds: nanoseconds / 1_000_000_000, nanoseconds: Int32(nanoseconds % 1_000_000_000))
    }
}
