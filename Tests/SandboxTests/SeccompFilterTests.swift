import Glibc
import Linux
import Testing

@testable import Sandbox

@Suite struct SeccompFilterTests {
    private func names(_ capabilities: CapabilitySet, _ kernel: KernelVersion = KernelVersion(6, 1)) -> [String] {
        SeccompProfile.standard.rules(for: capabilities, kernel)
            .filter { $0.action == .allow && $0.comparisons.isEmpty }.flatMap(\.names)
    }

    @Test(arguments: [
        "mount", "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "keyctl", "add_key",
        "open_by_handle_at", "kexec_load", "init_module", "clone", "clone3", "pivot_root", "swapon", "reboot", "socket",
    ])
    func refusesByDefault(_ name: String) {
        #expect(!names(.container).contains(name))
    }

    @Test(arguments: [
        ("SYS_ADMIN", "mount"), ("SYS_ADMIN", "clone3"), ("DAC_READ_SEARCH", "open_by_handle_at"),
        ("SYS_BOOT", "reboot"),
        ("SYS_CHROOT", "chroot"), ("SYS_MODULE", "finit_module"), ("SYS_PACCT", "acct"), ("SYS_PTRACE", "kcmp"),
        ("SYS_RAWIO", "iopl"), ("SYS_TIME", "clock_settime"), ("SYS_TTY_CONFIG", "vhangup"), ("SYS_NICE", "mbind"),
        ("SYSLOG", "syslog"), ("BPF", "bpf"), ("PERFMON", "perf_event_open"),
    ])
    func followsCapabilities(_ capability: String, _ name: String) throws {
        let set = try #require(CapabilitySet(name: capability))
        #expect(!names([]).contains(name))
        #expect(names(set).contains(name))
    }

    @Test func followsTheKernel() {
        #expect(!names([], KernelVersion(4, 7)).contains("ptrace"))
        #expect(names([], KernelVersion(4, 8)).contains("ptrace"))
    }

    @Test func makesAProgramOnce() throws {
        let filter = try SeccompFilter.compiled(.standard, for: .container)
        #expect((100...4096).contains(filter.count))
        #expect(filter.program.count == filter.count * 8)
        #expect(try SeccompFilter.compiled(.standard, for: .container) == filter)
        #expect(try SeccompFilter.compiled(.standard, for: .systemAdministration) != filter)
    }

    /// Calls the library does not know: allowed ones by their numbers, those nobody knew with ENOSYS.
    @Test func answersNewerCallsItself() {
        var calls = NewerCalls(.errno(EPERM), architectures: [SeccompArchitecture.native.token])
        #expect(calls.program.suffix(8) == [6, 0, 0, 0, UInt8(ENOSYS), 0, 5, 0])
        calls.add("fchmodat2", .allow)
        calls.add("no_such_call", .allow)
        #expect(calls.program.suffix(16) == [0x15, 0, 0, 1, 0xc4, 1, 0, 0, 6, 0, 0, 0, 0, 0, 0xff, 0x7f])
        let open = NewerCalls(.allow, architectures: [SeccompArchitecture.native.token])
        #expect(open.program.isEmpty)
    }

    @Test(arguments: [
        ("6.1.0-18-amd64", KernelVersion(6, 1)), ("4.8", KernelVersion(4, 8)), ("5.10rc", KernelVersion(5, 10)),
    ])
    func version(_ release: String, _ version: KernelVersion) {
        #expect(KernelVersion(parsing: release) == version)
    }

    @Test(arguments: ["", "6", "x.y"]) func noVersion(_ release: String) {
        #expect(KernelVersion(parsing: release) == nil)
    }
}
