import Glibc

/// A terminal that does not show what is typed, until this is dropped: then it is as it was before.
///
/// See `termios(3)`.
package struct HiddenInput: ~Copyable, Sendable {
    private let descriptor: CInt
    private let before: termios

    /// `nil` when the descriptor is no terminal.
    package init?(_ descriptor: CInt) {
        var mode = termios()
        guard unsafe tcgetattr(descriptor, &mode) == 0 else { return nil }
        self.descriptor = descriptor
        before = mode
        mode.c_lflag &= ~tcflag_t(ECHO)
        mode.c_lflag |= tcflag_t(ECHONL)
        // What was typed before the prompt is dropped.
        _ = unsafe tcsetattr(descriptor, TCSAFLUSH, &mode)
    }

    deinit {
        var mode = before
        _ = unsafe tcsetattr(descriptor, TCSAFLUSH, &mode)
    }
}
