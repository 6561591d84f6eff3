import CLinux
import Glibc
package import Linux

/// The resources that a command and its descendants have used.
package struct StepUsage: Hashable, Sendable {
    /// In microseconds.
    package var userTime: UInt64 = 0
    package var systemTime: UInt64 = 0
    /// In bytes: with a control group the peak of all processes together with their page cache, else that of the
    /// largest
    /// process.
    package var peakMemory: UInt64 = 0
    /// How many processes the kernel killed for want of memory; only a control group tells.
    package var outOfMemoryKills: UInt64 = 0

    package init() {}

    /// From what `wait4(2)` reports: the command with all descendants that were waited for.
    init(_ usage: rusage) {
        userTime = Self.microseconds(usage.ru_utime)
        systemTime = Self.microseconds(usage.ru_stime)
        peakMemory = UInt64(max(0, usage.ru_maxrss)) * 1024
    }

    /// Takes what a control group has counted: all processes of the command.
    package mutating func take(_ usage: ControlGroupUsage) {
        userTime = usage.userTime ?? userTime
        systemTime = usage.systemTime ?? systemTime
        peakMemory = usage.peakMemory ?? peakMemory
        outOfMemoryKills = usage.outOfMemoryKills
    }

    private static func microseconds(_ time: timeval) -> UInt64 {
        UInt64(max(0, time.tv_sec)) * 1_000_000 + UInt64(max(0, time.tv_usec))
    }
}
