import DockerfileSyntax
import Frontend
import Linux
import SystemPackage

/// A text that a command reads: a file or, for `-`, the standard input.
struct SourceText: Sendable {
    /// The name for messages.
    let name: String
    let bytes: [UInt8]

    /// The most bytes that are read.
    private static let limit = 64 << 20

    init(reading argument: String) throws {
        guard argument == "-" else {
            name = argument
            bytes = try OwnedDescriptor.open(FilePath(argument)).readAll(limit: Self.limit)
            return
        }
        name = "<stdin>"
        let input = OwnedDescriptor(.standardInput)
        defer { _ = input.release() }
        bytes = try input.readAll(limit: Self.limit)
    }

    /// Prints what is wrong with the text, with an excerpt, and gives the status to end with.
    func report(_ error: DockerfileError, isDebug: Bool) -> ExitStatus {
        let renderer = ErrorRenderer(isDebug: isDebug) { _ in
            String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.hasSuffix("\r") ? String($0.dropLast()) : String($0) }
        }
        for line in renderer.lines(for: FrontendError(error, file: name), isBuild: false) {
            OutputTerminal.standardError.write(line + "\n")
        }
        return .failure
    }
}
