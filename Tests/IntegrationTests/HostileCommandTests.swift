import Glibc
import SystemPackage
import Testing

/// What a command tries that has all a command is given: `testdata/hostile/attempts.c` in one RUN, each attempt judged.
@Suite("A hostile command", .enabled(if: Machine.isRoot && Machine.has("cc"), "needs root and a C compiler"))
struct HostileCommandTests {
    struct Attempt: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// How it may end: the names of errors.
        let endings: [String]

        init(_ name: String, _ endings: String...) {
            testDescription = name
            self.endings = endings
        }
    }

    private static func all(_ ending: String, _ names: String) -> [Attempt] {
        names.split(separator: " ").map { Attempt(String($0), ending) }
    }

    static let attempts: [Attempt] =
        all(
            "EPERM",
            """
            mount_tmpfs mount_bind mount_proc mount_cgroup mount_overlay remount_sys remount_proc_sys remount_root_dev \
            unmount_mask unmount_proc_sys new_root fs_open fs_pick tree_open mount_move mount_attributes unshare_user \
            unshare_mount unshare_cgroup clone_user clone_network set_namespace module_init module_file module_delete \
            kexec kexec_file restart swap_on bpf_load perf_open fault_descriptor ring_setup ring_enter ring_register \
            key_add key_request key_control handle_open fanotify quota accounting kernel_log time_set clock_set \
            clock_adjust host_name domain_name hang_up page_policy pages_move personality_odd crypto_socket \
            machine_socket process_compare descriptor_take kernel_messages raise_limit filter_over
            """)
        + all("EACCES", "node_disk node_disk_in_dev node_disk_in_shm node_memory node_port node_console node_fuse")
        + all("EACCES", "lower_oom_score nice_up")
        + all(
            "ESRCH", "kill_outside trace_outside read_outside pidfd_outside limit_outside priority_outside")
        + [
            Attempt("clone_three", "ENOSYS"), Attempt("core_pattern", "EROFS"), Attempt("own_program", "ETXTBSY"),
            Attempt("module_helper", "EROFS", "ENOENT"), Attempt("hot_plug", "EROFS"),
            Attempt("system_request", "EROFS", "ENOENT"), Attempt("misc_register", "EROFS"),
            Attempt("interrupts", "EROFS"), Attempt("event_helper", "EROFS", "ENOENT"),
            Attempt("power_state", "EROFS", "ENOENT"), Attempt("release_agent", "ENOENT", "EROFS"),
            Attempt("abstract_socket", "ECONNREFUSED"), Attempt("root_escape", "EXDEV"),
            // A kernel without programs of 32 bits kills with SIGSEGV.
            Attempt("old_interface", "EPERM", "signal"),
        ]

    /// What a build of the attempts left, and what the machine was like before and after.
    private struct Report: Sendable {
        var endings: [String: String] = [:]
        var hostBefore: [String] = []
        var hostAfter: [String] = []
        var isBystanderAlive = false
    }

    private static let report = Result { () throws -> Report in
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let program = try scratch.context("FROM lamina/base\n").appending("attempts").string
        let source = Lamina.packageRoot.appending("testdata/hostile/attempts.c").string
        try expectSuccess("cc", "-static", "-O1", "-o", program, source)
        let bystander = try RunningProcess(["sleep", "300"])
        let name = "lamina-hostile-\(getpid())"
        let listener = try abstractListener(name)
        defer { close(listener) }
        try scratch.context(
            "FROM lamina/base\nCOPY attempts /\nRUN --network=none /attempts \(bystander.id) \(name) > /endings; true\n"
        )
        var report = Report(hostBefore: try host())
        let output = scratch.path.appending("out").string
        try lamina.build(scratch.path.appending("context"), "-o", output)
        report.hostAfter = try host()
        report.isBystanderAlive = kill(bystander.id, 0) == 0
        bystander.send(SIGKILL)
        _ = try bystander.wait()
        for line in try text(of: FilePath(output).appending("endings")).lines {
            let words = line.split(separator: " ")
            if words.count >= 2 { report.endings[String(words[0])] = String(words[1]) }
        }
        return report
    }

    /// A socket that a command would reach if it had this machine's network.
    private static func abstractListener(_ name: String) throws -> CInt {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(name.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in bytes.enumerated() { unsafe path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + bytes.count)
        let outcome = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
        }
        guard outcome == 0, listen(descriptor, 1) == 0 else { throw Errno(rawValue: errno) }
        return descriptor
    }

    /// What of the machine an attempt would have changed.
    private static func host() throws -> [String] {
        try expectSuccess(
            "sh", "-c",
            """
            cd /proc/sys/kernel; cat hostname domainname core_pattern modprobe randomize_va_space 2> /dev/null
            cat /proc/irq/default_smp_affinity; stat -c '%n %a %u %t %T' /dev/null /dev/zero /dev/full /dev/tty
            ls -d / /etc/passwd; cat /proc/swaps | wc -l; ls /x /d 2>&1 | wc -l
            """
        ).outputLines
    }

    @Test(arguments: attempts) func fails(_ attempt: Attempt) throws {
        let ending = try #require(try Self.report.get().endings[attempt.testDescription])
        #expect(attempt.endings.contains(ending))
    }

    @Test func areAllJudged() throws {
        #expect(Set(try Self.report.get().endings.keys) == Set(Self.attempts.map(\.testDescription)))
    }

    @Test func leavesTheMachineAsItWas() throws {
        let report = try Self.report.get()
        #expect(report.hostBefore == report.hostAfter)
        #expect(report.isBystanderAlive)
    }

    /// Nothing of the builder is to be seen: its environment, its files, its descriptors, its groups.
    @Test func seesNothingOfTheBuilder() throws {
        let scratch = try Scratch()
        var lamina = Lamina(root: scratch.path.appending("store"))
        lamina.environment["LAMINA_TEST_MARK"] = "seen-from-inside"
        let context = try scratch.context(
            """
            FROM lamina/base
            RUN { cat /proc/*/environ /proc/*/cmdline /proc/*/cgroup; ls -l /proc/self/fd; } > /seen; \
                ls /proc/self/fd | wc -l > /count; cat /proc/self/mountinfo > /mounts

            """)
        let output = scratch.path.appending("out")
        try lamina.build(context, "-o", output.string)
        let seen = try text(of: output.appending("seen"))
        #expect(!seen.contains("seen-from-inside"))
        #expect(!seen.contains("lamina"))
        // Three streams, and the directory ls reads.
        #expect(try text(of: output.appending("count")).trimmed == "4")
        let mounts = try text(of: output.appending("mounts")).lines
        #expect(mounts.allSatisfy { !$0.contains(" / / ") || $0.contains(" - overlay ") })
    }
}
