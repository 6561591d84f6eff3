import Console
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
        bytes = try input.readAll(limit: Self.limit)
        _ = input.release()
    }

    /// The result of `parse` for the text. If the text is wrong, the error is printed with an excerpt, and the status
    /// of a failure is thrown.
    func parsed<Result>(
        isDebug: Bool, _ parse: ([UInt8]) throws(DockerfileError) -> Result
    ) throws(ExitStatus) -> Result {
        do {
            return try parse(bytes)
        } catch {
            report(error, isDebug: isDebug)
            throw .failure
        }
    }

    private func report(_ error: DockerfileError, isDebug: Bool) {
        let renderer = ErrorRenderer(isDebug: isDebug) { _ in
            String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.hasSuffix("\r") ? String($0.dropLast()) : String($0) }
        }
        renderer.print(FrontendError(error, file: name))
    }
}
