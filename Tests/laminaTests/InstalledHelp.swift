import Foundation

@testable import lamina

/// The flags that `--help` of an installed tool shows.
struct InstalledHelp {
    private(set) var flags: [String: BuilderFlag.Form] = [:]

    /// `nil` where the tool is not installed.
    init?(of tool: BuilderFlag.Tool) {
        guard tool != .kaniko else { return nil }
        self.init(ofCommand: tool.command)
    }

    /// `nil` where there is no such command.
    init?(ofCommand command: String) {
        guard let text = Self.output(of: command.split(separator: " ").map(String.init)) else { return nil }
        // A plugin that is not installed is answered with the help of docker itself.
        guard !command.contains("buildx") || text.contains(command) else { return nil }
        for line in text.split(separator: "\n") {
            let words = line.drop { $0 == " " }
            guard words.count < line.count, words.hasPrefix("-"), let start = words.range(of: "--") else { continue }
            // The word after the name, with one blank, is the name of its value.
            let fields = words[start.upperBound...].components(separatedBy: "  ")
            let parts = fields[0].split(separator: " ", maxSplits: 1)
            guard let name = parts.first else { continue }
            let value = parts.count > 1 ? parts[1] : ""
            flags[String(name)] = value.isEmpty ? .flag : value.contains("[=") ? .optionalValue : .value
        }
        if flags.isEmpty { return nil }
    }

    private static func output(of command: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command + ["--help"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
    }
}
