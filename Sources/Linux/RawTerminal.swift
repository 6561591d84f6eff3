import Glibc

/// A terminal that passes on every key as it is, until this is dropped: then it is as it was before.
///
/// See `termios(3)`.
package struct RawTerminal: ~Copyable, Sendable {
    private let descriptor: CInt
    private let before: termios

    /// `nil` when the descriptor is no terminal.
    package init?(_ descriptor: CInt) {
        var mode = termios()
        guard unsafe tcgetattr(descriptor, &mode) == 0 else { return nil }
        self.descriptor = descriptor
        before = mode
        unsafe cfmakeraw(&mode)
        _ = unsafe tcsetattr(descriptor, TCSADRAIN, &mode)
    }

    deinit {
        var mode = before
        // What was written is shown before, and what was typed and not read is dropped: it was meant for the command.
        _ = unsafe tcsetattr(descriptor, TCSAFLUSH, &mode)
    }
}

/// The size of a terminal in characters.
package struct TerminalSize: Hashable, Sendable {
    package let columns: UInt16
    package let rows: UInt16

    package init(columns: UInt16, rows: UInt16) {
        self.columns = columns
        self.rows = rows
    }

    /// The size as it is now; `nil` when the descriptor is no terminal. The corresponding request is `TIOCGWINSZ`.
    package init?(of descriptor: CInt) {
        var size = winsize()
        let result = unsafe withUnsafeMutablePointer(to: &size) { unsafe ioctl(descriptor, UInt(TIOCGWINSZ), $0) }
        guard result == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        columns = size.ws_col
        rows = size.ws_row
    }
}
