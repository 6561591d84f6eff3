import Glibc
import SystemPackage

/// A process, told apart from a later one with the same number by its start time.
package struct ProcessIdentity: Hashable, Sendable {
    package let pid: Int32
    /// In clock ticks since boot.
    package let startTime: UInt64

    /// This process.
    package static let current: ProcessIdentity = {
        let pid = getpid()
        return ProcessIdentity(pid: pid, startTime: startTime(of: pid) ?? 0)
    }()

    private init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// Parses what ``description`` gives, `pid-startTime`.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let pid = Int32(parts[0]), let start = UInt64(parts[1]) else { return nil }
        self.init(pid: pid, startTime: start)
    }

    /// Whether the process still runs.
    package var isAlive: Bool { Self.startTime(of: pid) == startTime }

    /// Field 22 of `/proc/PID/stat`, counted from the end of the command's name, which may hold anything.
    private static func startTime(of pid: Int32) -> UInt64? {
        guard let file = try? OwnedDescriptor.open(FilePath("/proc/\(pid)/stat")),
            let content = try? file.readAll(limit: 65536), let paren = content.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = content[(paren + 1)...].split(separator: UInt8(ascii: " "))
        return fields.count > 19 ? UInt64(String(decoding: fields[19], as: UTF8.self)) : nil
    }
}

extension ProcessIdentity: CustomStringConvertible {
    package var description: String { "\(pid)-\(startTime)" }
}
