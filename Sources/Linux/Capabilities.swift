import SystemPackage

/// A set of capabilities, as the kernel's 64-bit mask. See `capabilities(7)`.
package struct CapabilitySet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The names by number, without `CAP_`.
    private static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    /// The capability with a name as `capabilities(7)` has it, in any case, with or without `CAP_`.
    package init?(name: String) {
        let upper = name.uppercased()
        let short = upper.hasPrefix("CAP_") ? String(upper.dropFirst(4)) : upper
        guard let number = Self.names.firstIndex(of: short) else { return nil }
        self.init(rawValue: 1 << UInt64(number))
    }

    /// The capabilities of a RUN instruction: CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP
    /// SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE, as with Docker and BuildKit.
    package static let container = CapabilitySet(rawValue: 0xa804_25fb)

    /// Everything the builder has.
    package static let all = CapabilitySet(rawValue: .max)

    package static let systemAdministration = CapabilitySet(rawValue: 1 << 21)

    /// CAP_SYS_CHROOT, which also is a way out of a chroot.
    package static let changeRoot = CapabilitySet(rawValue: 1 << 18)

    /// CAP_SYS_PTRACE.
    package static let trace = CapabilitySet(rawValue: 1 << 19)

    /// CAP_MKNOD.
    package static let makeNodes = CapabilitySet(rawValue: 1 << 27)

    /// The capabilities that a package manager needs: CHOWN DAC_OVERRIDE FOWNER SETGID SETUID SETPCAP, the last of
    /// which it takes to give the others up.
    package static let fileOwnership = CapabilitySet(rawValue: 0x1cb)

    /// The effective capabilities of this process; empty when `/proc` cannot be read.
    package static var effective: CapabilitySet {
        guard let content = try? readText("/proc/self/status"),
            let line = content.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let mask = UInt64(line.dropFirst(7).drop { $0 == "\t" || $0 == " " }, radix: 16)
        else { return [] }
        return CapabilitySet(rawValue: mask)
    }
}

extension CapabilitySet {
    /// The names in a sentence, e.g. `CAP_CHOWN, CAP_KILL`.
    package var list: String { description.split(separator: " ").map { "CAP_\($0)" }.joined(separator: ", ") }
}

extension CapabilitySet: CustomStringConvertible {
    /// The names in numerical order, e.g. `CHOWN KILL`.
    package var description: String {
        guard self != .all else { return "all" }
        return (0..<64).filter { rawValue & (1 << $0) != 0 }
            .map { $0 < Self.names.count ? Self.names[$0] : "\($0)" }
            .joined(separator: " ")
    }
}
