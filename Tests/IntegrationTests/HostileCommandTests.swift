import Glibc
import SystemPackage
import Testing

/// Attempts of a command to get out of its sandbox: `testdata/hostile/attempts.c` in one RUN, each attempt judged, in
/// every isolation mode.
@Suite(
    "A hostile command",
    .enabled(if: Machine.hasPlainUsers && Machine.has("cc"), "needs root, uidmap, setpriv and a C compiler"))
struct HostileCommandTests {
    /// How the command is isolated, and who builds.
    enum Mode: String, CaseIterable, Sendable {
        case namespaces = "root"
        case rootless = "an unprivileged user"
        case chroot = "root, in chroot mode"
    }

    struct Attempt: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// How it may end: the names of errors.
        let endings: [String]
        /// The same for a mode where it ends otherwise.
        var others: [Mode: [String]] = [:]

        init(_ name: String, _ endings: String..., others: [Mode: [String]] = [:]) {
            testDescription = name
            self.endings = endings
            self.others = others
        }
    }

    private static func all(_ ending: String, _ names: String, others: [Mode: [String]] = [:]) -> [Attempt] {
        names.split(separator: " ").map { Attempt(String($0), ending, others: others) }
    }

    /// In `chroot` mode there is no /proc and no /sys.
    private static let isMissing: [Mode: [String]] = [.chroot: ["ENOENT"]]
    /// Attempts that `chroot` does not prevent: see docs/chroot.md.
    private static let isDone: [Mode: [String]] = [.chroot: ["done"]]
    /// Attempts that Landlock prevents in `chroot` mode, where the kernel has it.
    private static let isScoped: [Mode: [String]] = [.chroot: [Machine.scopesLandlock ? "EPERM" : "done"]]

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
            machine_socket process_compare descriptor_take raise_limit filter_over
            """)
        + all(
            // By the filter of a control group; without one, and on /dev/shm, the mount forbids it.
            "EPERM", "node_disk node_disk_in_dev node_disk_in_shm node_memory node_port node_console node_fuse",
            others: [.namespaces: ["EPERM", "EACCES"]])
        + all("ESRCH", "pidfd_outside limit_outside", others: isDone)
        + all("ESRCH", "kill_outside", others: isScoped)
        + all("ESRCH", "trace_outside read_outside priority_outside", others: [.chroot: ["EPERM", "ESRCH"]])
        + all("ESRCH", "trace_same_user", others: [.chroot: ["EPERM"]])
        + all(
            "EROFS", "core_pattern misc_register interrupts",
            others: [.chroot: ["ENOENT"], .rootless: ["EACCES", "EROFS"]])
        + [
            Attempt("nice_up", "EACCES"), Attempt("lower_oom_score", "EACCES", others: [.chroot: ["EBADF"]]),
            Attempt("kernel_messages", "EPERM", others: [.chroot: ["ENOENT"], .rootless: ["EACCES", "EPERM"]]),
            Attempt("clone_three", "ENOSYS"),
            Attempt("own_program", "ETXTBSY", others: isMissing), Attempt("module_helper", "EROFS", "ENOENT"),
            Attempt("hot_plug", "EROFS"), Attempt("system_request", "EROFS", "ENOENT"),
            Attempt("event_helper", "EROFS", "ENOENT"), Attempt("power_state", "EROFS", "ENOENT", "EACCES"),
            Attempt("release_agent", "ENOENT", "EROFS"), Attempt("abstract_socket", "ECONNREFUSED", others: isScoped),
            Attempt("root_escape", "EXDEV", others: [.chroot: ["EPERM"]]),
            // A kernel without programs of 32 bits kills with SIGSEGV.
            Attempt("old_interface", "EPERM", "signal"),
        ]

    /// The results of the attempts, and the state of the machine before and after.
    private struct Report: Sendable {
        var endings: [String: String] = [:]
        var hostBefore: [String] = []
        var hostAfter: [String] = []
        var isBystanderAlive = false
    }

    private static let reports = Dictionary(
        uniqueKeysWithValues: Mode.allCases.map { mode in (mode, Result { try report(mode) }) })

    private static func report(_ mode: Mode) throws -> Report {
        let builder = try Builder(mode)
        let program = try builder.scratch.context("FROM lamina/base\n").appending("attempts").string
        let source = Lamina.packageRoot.appending("testdata/hostile/attempts.c").string
        try expectSuccess("cc", "-static", "-O1", "-o", program, source)
        let bystander = try RunningProcess(["sleep", "300"])
        let nobody = try RunningProcess(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "sleep", "300"])
        defer { nobody.send(SIGKILL) }
        let name = "lamina-hostile-\(getpid())-\(mode)"
        let listener = try abstractListener(name)
        defer { close(listener) }
        let options = mode == .chroot ? "" : "--network=none"
        var report = Report(hostBefore: try host())
        let output = try builder.output(
            of: "COPY attempts /\nRUN \(options) /attempts \(bystander.id) \(name) \(nobody.id) > /endings; true")
        report.hostAfter = try host()
        report.isBystanderAlive = kill(bystander.id, 0) == 0
        bystander.send(SIGKILL)
        report.isBystanderAlive = try bystander.wait().status == 137 && report.isBystanderAlive
        for line in try text(of: output.appending("endings")).lines {
            let words = line.split(separator: " ")
            if words.count >= 2 { report.endings[String(words[0])] = String(words[1]) }
        }
        return report
    }

    /// The user that builds in an isolation mode.
    private struct Builder {
        let mode: Mode
        let scratch: Scratch
        let user: PlainUser
        private let mark = ["LAMINA_TEST_MARK": "seen-from-inside"]

        init(_ mode: Mode) throws {
            self.mode = mode
            scratch = try Scratch()
            user = try PlainUser(variables: mark)
            try expectSuccess("chmod", "755", scratch.path.string)
        }

        /// Builds the context with a Dockerfile on the embedded base, and gives the directory of the result.
        func output(of instructions: String) throws -> FilePath {
            let context = try scratch.context("FROM lamina/base\n\(instructions)\n").string
            let output = user.path.appending("home/out")
            let arguments = ["build", "-q", "-o", output.string, context]
            let lamina = Lamina(root: scratch.path.appending("store")).with(mark)
            let finished =
                switch mode {
                case .namespaces: try lamina.start(arguments).wait()
                case .rootless: try user.start(["lamina"] + arguments).wait()
                case .chroot: try lamina.with(isolation: "chroot").start(arguments).wait()
                }
            guard finished.status == 0 else { throw CommandFailure(description: finished.errorText) }
            return output
        }
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

    /// The parts of the machine that an attempt would have changed.
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

    @Test("Each attempt fails as expected", arguments: attempts, Mode.allCases)
    func fails(_ attempt: Attempt, _ mode: Mode) throws {
        let report = try #require(Self.reports[mode]).get()
        let ending = try #require(report.endings[attempt.testDescription])
        #expect((attempt.others[mode] ?? attempt.endings).contains(ending), "it ends with \(ending)")
    }

    @Test(arguments: Mode.allCases) func areAllJudged(_ mode: Mode) throws {
        let report = try #require(Self.reports[mode]).get()
        #expect(Set(report.endings.keys) == Set(Self.attempts.map(\.testDescription)))
    }

    @Test(arguments: Mode.allCases) func leavesTheMachineAsItWas(_ mode: Mode) throws {
        let report = try #require(Self.reports[mode]).get()
        #expect(report.hostBefore == report.hostAfter)
        #expect(report.isBystanderAlive || (mode == .chroot && !Machine.scopesLandlock))
    }

    /// Nothing of the builder is to be seen: its environment, its files, its descriptors, its groups.
    @Test(arguments: Mode.allCases) func seesNothingOfTheBuilder(_ mode: Mode) throws {
        let builder = try Builder(mode)
        defer { withExtendedLifetime(builder) {} }
        let output = try builder.output(
            of: """
                RUN { env; cat /proc/*/environ /proc/*/cmdline /proc/*/cgroup; ls -l /proc/self/fd; } > /seen; \
                    cat /proc/self/mountinfo > /mounts; \
                    exec > /open 2> /dev/null; for i in $(seq 3 200); do (eval ": <&$i") && echo $i; done; true
                """)
        let seen = try text(of: output.appending("seen"))
        #expect(seen.contains("PATH=") && !seen.contains("seen-from-inside"))
        #expect(!seen.contains("lamina"))
        #expect(try text(of: output.appending("open")).lines == [])
        let mounts = try text(of: output.appending("mounts")).lines
        #expect(mounts.allSatisfy { !$0.contains(" / / ") || $0.contains(" - overlay ") })
    }
}
