import Console
import Images
import SystemPackage

/// The place that a report goes to: a file, or the standard output.
struct ReportOutput {
    /// `nil` is the standard output.
    let path: String?

    /// Writes lines, with a line break after each.
    func write(_ lines: [String]) throws { try write(lines.flatMap { Array("\($0)\n".utf8) }) }

    /// Writes bytes; a file is replaced only when all of them are written.
    func write(_ bytes: [UInt8]) throws {
        guard let path else {
            CommandResult.write(bytes)
            return
        }
        _ = try OutputFile.write(to: FilePath(path)) { try $0.writeAll(bytes) }
    }
}
