import Glibc
import OCI
import Synchronization
import SystemPackage

/// The size of a terminal's window in characters.
struct WindowSize: Hashable, Sendable {
    let columns: Int
    let rows: Int
}

/// A descriptor that people or logs read.
struct OutputTerminal: Sendable {
    let descriptor: CInt

    static let standardOutput = OutputTerminal(descriptor: STDOUT_FILENO)
    static let standardError = OutputTerminal(descriptor: STDERR_FILENO)

    /// Whether it is a terminal. The corresponding function is `isatty(3)`.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// The window as it is now; `nil` when there is none. The corresponding request is `TIOCGWINSZ`.
    var size: WindowSize? {
        var size = winsize()
        let result = unsafe withUnsafeMutablePointer(to: &size) { unsafe ioctl(descriptor, UInt(TIOCGWINSZ), $0) }
        guard result == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return WindowSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// Whether a display that moves the cursor can be shown.
    func canMoveCursor(environment: (String) -> String?) -> Bool {
        isTerminal && environment("TERM") != "dumb"
    }

    /// Whether colours are wanted, by the convention of no-color.org.
    static func wantsColours(environment: (String) -> String?) -> Bool {
        (environment("NO_COLOR") ?? "").isEmpty
    }

    /// A variable of this process's environment.
    static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Writes all bytes, and returns why that was not possible; `nil` also when the reader has gone.
    ///
    /// Whoever writes a log passes the result by: a build must not fail because its log is gone.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Errno? {
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
                return errno == EPIPE ? nil : Errno(rawValue: errno)
            }
        }
        return nil
    }

    @discardableResult
    func write(_ text: String) -> Errno? { write(Array(text.utf8)) }
}

/// The result of the command, on the standard output. Unlike a log it must not be lost without a word.
enum CommandResult {
    private static let failure = Mutex<Errno?>(nil)

    static func write(_ bytes: [UInt8]) {
        guard let error = OutputTerminal.standardOutput.write(bytes) else { return }
        failure.withLock { $0 = $0 ?? error }
    }

    /// Ends the program with 1 if any of the result could not be written.
    static func exitIfLost() {
        guard let error = failure.withLock({ $0 }) else { return }
        OutputTerminal.standardError.write("ERROR: the standard output cannot be written: \(error)\n")
        Glibc.exit(1)
    }
}

/// The time of day.
enum WallClock {
    static func now() -> Timestamp {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }
}
