import Glibc
package import SystemPackage

/// The size of a terminal's window in characters.
package struct WindowSize: Hashable, Sendable {
    package let columns: Int
    package let rows: Int

    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }
}

/// A descriptor for output that people or logs read.
package struct OutputTerminal: Sendable {
    package let descriptor: CInt

    package init(descriptor: CInt) { self.descriptor = descriptor }

    package static let standardOutput = OutputTerminal(descriptor: STDOUT_FILENO)
    package static let standardError = OutputTerminal(descriptor: STDERR_FILENO)

    /// Whether it is a terminal. The corresponding function is `isatty(3)`.
    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// The window as it is now; `nil` when there is none. The corresponding request is `TIOCGWINSZ`.
    package var size: WindowSize? {
        var size = winsize()
        let result = unsafe withUnsafeMutablePointer(to: &size) { unsafe ioctl(descriptor, UInt(TIOCGWINSZ), $0) }
        guard result == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return WindowSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// Whether a display that moves the cursor can be shown.
    package func canMoveCursor(environment: (String) -> String?) -> Bool {
        isTerminal && environment("TERM") != "dumb"
    }

    /// Whether colours are wanted, by the conventions of no-color.org and bixense.com/clicolors.
    package static func wantsColours(environment: (String) -> String?) -> Bool {
        (environment("NO_COLOR") ?? "").isEmpty
            && (forcesColours(environment: environment) || environment("CLICOLOR") != "0")
    }

    /// Whether text is coloured: on a terminal, and with `CLICOLOR_FORCE` anywhere.
    package func showsColours(environment: (String) -> String?) -> Bool {
        Self.wantsColours(environment: environment) && (isTerminal || Self.forcesColours(environment: environment))
    }

    private static func forcesColours(environment: (String) -> String?) -> Bool {
        !["", "0"].contains(environment("CLICOLOR_FORCE") ?? "")
    }

    /// A variable of this process's environment.
    package static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Writes all bytes; returns the error that prevented it.
    ///
    /// Log writers ignore the result: a closed log must not fail a build.
    @discardableResult
    package func write(_ bytes: [UInt8]) -> Errno? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Another process made the shared terminal non-blocking.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&waiting, 1, -1)
            } else if errno != EINTR {
                return Errno(rawValue: errno)
            }
        }
        return nil
    }

    @discardableResult
    package func write(_ text: String) -> Errno? { write(Array(text.utf8)) }
}
