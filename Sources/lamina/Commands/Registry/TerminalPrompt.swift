import Console
import Diagnostics
import Glibc
import Linux
import Logins
import Registry
import Synchronization

/// Questions to the user at the terminal that is the standard input.
enum TerminalPrompt {
    static var isPossible: Bool { isatty(STDIN_FILENO) == 1 }

    /// Asks for a line, which is not shown if `isHidden`.
    ///
    /// Cancellation ends the wait, and the terminal is as it was before.
    static func ask(_ question: String, isHidden: Bool = false) async throws -> String {
        // First, as it drops what was typed before: an answer to the question must not be lost.
        let hidden = isHidden ? HiddenInput(STDIN_FILENO) : nil
        OutputTerminal.standardOutput.write(question)
        let line = await Result { try await Self.line() }
        _ = consume hidden
        return try line.get()
    }

    /// All that the standard input holds, at most 1 MiB.
    static func readAll() async throws -> String {
        var bytes: [UInt8] = []
        while let piece = try await next() {
            bytes += piece
            guard bytes.count <= 1 << 20 else {
                throw LoginsError(.credentials, "the standard input is no password: it holds more than 1 MiB")
            }
        }
        return try text(bytes)
    }

    private static func line() async throws -> String {
        var bytes: [UInt8] = []
        while bytes.last != UInt8(ascii: "\n"), let piece = try await next() { bytes += piece }
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
        return try text(bytes)
    }

    private static func text(_ bytes: [UInt8]) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw LoginsError(.credentials, "the login is not text in UTF-8")
        }
        return text
    }

    /// Bytes that have come; `nil` at the end. Looks at the cancellation of the task now and then.
    private static func next() async throws -> [UInt8]? {
        while true {
            try Task.checkCancellation()
            let bytes: [UInt8]?? = try await offload {
                var wanted = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                guard unsafe poll(&wanted, 1, 100) > 0 else { return .none }
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = unsafe read(STDIN_FILENO, &buffer, buffer.count)
                return .some(count > 0 ? Array(buffer.prefix(count)) : nil)
            }
            if let bytes { return bytes }
        }
    }
}

extension Result where Failure == any Error {
    /// Runs `body` and keeps how it ended.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
