import Console
import Glibc
import Linux

/// A question that the user answers with yes or no.
enum Confirmation {
    /// Asks on the standard error and reads a line of the standard input; anything but `y` and `yes` is no, which is then
    /// said. No is no failure, as with Docker.
    static func isGiven(_ warning: String) async throws -> Bool {
        OutputTerminal.standardError.write("\(warning)\nAre you sure you want to continue? [y/N] ")
        if try await ["y", "yes"].contains(readLine().lowercased()) { return true }
        tell("nothing was removed; use -f to remove without being asked")
        return false
    }

    /// A line of the standard input, as much as there is of it at its end. Ctrl-C ends the wait.
    private static func readLine() async throws -> String {
        var line: [UInt8] = []
        while true {
            let byte = try await offload { () -> UInt8? in
                var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                guard unsafe poll(&waiting, 1, 100) != 0 else { return 0 }
                var byte: UInt8 = 0
                return unsafe read(STDIN_FILENO, &byte, 1) == 1 ? byte : nil
            }
            try Task.checkCancellation()
            guard let byte, byte != UInt8(ascii: "\n") else { break }
            if byte != 0 { line.append(byte) }
        }
        return String(decoding: line, as: UTF8.self)
    }
}
