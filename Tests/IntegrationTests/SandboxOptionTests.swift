import SystemPackage
import Testing

/// The options that say what commands may do and use.
@Suite("Options of the sandbox", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct SandboxOptionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let options: [String]
        let command: String
        /// The output of the command, or the message about the option or the failure.
        let output: String
        var isError = false

        var testDescription: String { options.joined(separator: " ") }

        init(_ options: String, _ command: String, _ output: String) {
            self.options = options.split(separator: " ").map(String.init)
            self.command = command
            self.output = output
        }

        init(_ options: String, refusal: String) {
            self.init(options, "true", refusal)
            isError = true
        }

        init(_ options: String, _ command: String, failure: String) {
            self.init(options, command, failure)
            isError = true
        }
    }

    static let cases = [
        Case("", "grep CapBnd /proc/self/status", "CapBnd:\t00000000a80425fb"),
        Case("--cap-add SYS_ADMIN", "mount -t tmpfs x /tmp && echo mounted", "mounted"),
        Case("--cap-add net_admin --cap-drop CAP_MKNOD", "grep CapEff /proc/self/status", "00000000a00435fb"),
        Case("--cap-drop ALL", "grep CapEff /proc/self/status", "0000000000000000"),
        Case("--cap-drop all --cap-add chown", "grep CapEff /proc/self/status", "0000000000000001"),
        Case("--cap-add NOSUCH", refusal: "invalid capability: \"NOSUCH\""),
        Case("", "unshare -m true", failure: "Operation not permitted"),
        Case("--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status", "Seccomp:\t0"),
        Case("--security-opt seccomp=/nonexistent", refusal: "opening seccomp profile (/nonexistent) failed"),
        Case("--security-opt seccomp=/etc/passwd", refusal: "decoding seccomp profile (/etc/passwd) failed"),
        Case("--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"),
        Case("--security-opt no-new-privileges=false", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t0"),
        Case("--security-opt apparmor=x", refusal: "AppArmor is not used for commands"),
        Case("--security-opt nosuch", refusal: "invalid --security-opt: \"nosuch\""),
        Case("--security-opt systempaths=unconfined", "grep -c ' /proc/sys ' /proc/self/mounts || echo none", "none"),
        Case("--device /dev/urandom:/dev/given", "head -c 3 /dev/given | wc -c", "3"),
        Case("--device /dev/nosuch", refusal: "/dev/nosuch is no device of this machine"),
        Case("--device /dev/null:/dev/x:r", refusal: "permissions other than rw and rwm are not supported"),
        Case("--ulimit nofile=100:200", "ulimit -n; ulimit -Hn", "200"),
        Case("--ulimit core=0", "ulimit -c", "0"),
        Case("--ulimit nosuch=1", refusal: "invalid ulimit type: nosuch"),
        Case("--ulimit nofile=9:3", refusal: "soft limit must be less than or equal to hard limit"),
        Case("--shm-size 1m", "df -k /dev/shm | tail -n 1 | awk '{ print $2 }'", "1024"),
        Case("--shm-size many", refusal: "invalid --shm-size: \"many\""),
        Case("--allow nosuch", refusal: "unknown entitlement nosuch"),
        Case("--resource nosuch=1", refusal: "unknown resource \"nosuch\""),
        Case("--memory-swap 1g", refusal: "--memory-swap needs --memory"),
        Case("--memory 2g --memory-swap 1g", refusal: "--memory-swap is less than --memory"),
        Case("--memory 5m", refusal: "invalid --memory: \"5m\""),
        Case("--memory=-1", refusal: "invalid --memory: \"-1\""),
        Case("--memory 1g --memory-swap -2", refusal: "invalid --memory-swap: \"-2\""),
        Case("--cpus 1 --cpu-quota 50000", refusal: "conflicting options: --cpus and a quota or period"),
        Case("--cpu-period 50000 --cpus 1", refusal: "conflicting options: --cpus and a quota or period"),
        Case("--resource cpu-quota=50000 --cpus 1", refusal: "conflicting options: --cpus and a quota or period"),
        Case("--cpus=-1", refusal: "invalid --cpus: \"-1\""),
        Case("--cpus 0.001", refusal: "invalid --cpus: \"0.001\""),
        Case("--cpus 99999", refusal: "invalid --cpus: \"99999\""),
        Case("--cpu-quota 999", refusal: "invalid --cpu-quota: \"999\""),
        Case("--cpu-period 1000001", refusal: "invalid --cpu-period: \"1000001\""),
        Case("--cpu-shares=-2", refusal: "invalid --cpu-shares: \"-2\""),
        Case("--pids-limit -2", refusal: "invalid --pids-limit: \"-2\""),
        Case("--cpuset-cpus all", refusal: "invalid --cpuset-cpus: \"all\""),
        Case("--cpuset-cpus 5-2", refusal: "invalid --cpuset-cpus: \"5-2\""),
        Case("--cpuset-cpus 0,", refusal: "invalid --cpuset-cpus: \"0,\""),
        Case("--cpuset-mems -1", refusal: "cpuset-mems"),
        Case("--cgroup-parent ../x", refusal: "invalid --cgroup-parent: \"../x\""),
        Case("--allow security.insecure", "grep Seccomp: /proc/self/status", "Seccomp:\t2"),
    ]

    @Test("An option changes what the command sees", arguments: cases)
    func applies(_ option: Case) throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context("FROM lamina/base\nRUN \(option.command)\n")
        let finished = try lamina.start(["build", "--progress", "plain"] + option.options + [context.string]).wait()
        #expect((finished.status != 0) == option.isError, "\(finished.errorText)")
        if option.isError {
            #expect(finished.errorText.contains(option.output), "\(finished.errorText)")
        } else {
            // What the command printed: after the step's number and the time.
            let printed = finished.errorLines.map { $0.split(separator: " ", maxSplits: 2) }
                .filter { $0.count == 3 && Double($0[1]) != nil }.map { $0[2] }
            #expect(printed.contains { $0.hasSuffix(option.output) }, "\(finished.errorText)")
        }
    }

    /// A run refuses what a build refuses.
    @Test(arguments: cases.filter { $0.isError && $0.command == "true" }) func isRefusedByRun(_ option: Case) throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let finished = try lamina.start(["run"] + option.options + ["lamina/base", "true"]).wait()
        #expect(finished.status == 125 || finished.status == 2)
        #expect(finished.errorText.contains(option.output), "\(finished.errorText)")
    }

    @Test func insecureMayDoWhatTheBuilderMay() throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        // For whichever user, in all sets but that of what can be had at most.
        let context = try scratch.context(
            """
            FROM lamina/base
            RUN --security=insecure mount -t tmpfs x /tmp && grep -q 'Seccomp:.0' /proc/self/status
            USER 1000:1000
            RUN --security=insecure grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status | cut -f 2 | sort -u | wc -l | \
                grep -qx 1 && ! grep -q 'CapEff:.0*$' /proc/self/status && mount -t tmpfs x /tmp && test $(id -u) = 1000
            RUN grep -q 'CapEff:.0*$' /proc/self/status

            """)
        try lamina.build(context, "--allow", "security.insecure")
    }

    /// Options that change a result are part of a step's key; limits of resources are not.
    @Test(
        "An option is part of the cache key if it changes results",
        arguments: [
            (["--memory", "1g"], true), (["--cpu-shares", "512"], true), (["--ulimit", "nofile=99"], false),
            (["--shm-size", "1m"], false), (["--cap-drop", "MKNOD"], false), (["--cap-drop", "SYS_ADMIN"], true),
        ])
    func keys(_ options: [String], _ isCached: Bool) throws {
        if options[0] == "--memory" || options[0] == "--cpu-shares", !ControlGroups.areThere { return }
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context("FROM lamina/base\nRUN date +%N > /n\n")
        let first = try lamina.build(context)
        let second = try lamina.succeeding(["build", "-q"] + options + [context.string]).trimmed
        #expect((first == second) == isCached)
    }
}

/// Whether limits can be applied on this machine.
enum ControlGroups {
    static let areThere =
        (try? run("sh", "-c", "[ -w /sys/fs/cgroup/memory ] || [ -w /sys/fs/cgroup/cgroup.procs ]"))?.status == 0
}

/// Limits by control groups.
@Suite(
    "Limits of commands", .enabled(if: Machine.isRoot && ControlGroups.areThere, "needs root and control groups"))
struct LimitTests {
    private func groups() throws -> [String] {
        try run("find", "/sys/fs/cgroup", "-name", "lamina-*").outputLines
    }

    @Test(arguments: [
        (
            "--memory 64m", "dd if=/dev/zero of=/dev/null bs=200M count=1",
            "out of memory (limit 64 MiB): exit code: 137"
        ),
        ("--resource memory=32m", "dd if=/dev/zero of=/dev/null bs=99M count=1", "out of memory (limit 32 MiB)"),
        ("--pids-limit 10", "for i in $(seq 40); do sleep 9 & done; wait", "exit code: "),
        ("--pids-limit 20", "f() { f | f & }; f; sleep 1; false", "exit code: "),
    ])
    func endsCommandsThatTakeTooMuch(_ options: String, _ command: String, _ message: String) throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context("FROM lamina/base\nRUN \(command)\n")
        let words = options.split(separator: " ").map(String.init)
        let finished = try lamina.start(["build", "--progress", "plain"] + words + [context.string]).wait()
        #expect(finished.status == 1)
        #expect(
            finished.errorLines.last { $0.hasPrefix("ERROR: ") }?.contains(message) == true, "\(finished.errorText)")
    }

    @Test func removesTheGroupsOfKilledBuilds() throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context("FROM lamina/base\nRUN sleep 300\n")
        let build = try lamina.start(["build", "--memory", "64m", context.string])
        let own = "lamina-\(build.id)-"
        // env(1) becomes lamina itself, so the number is its own.
        try wait(for: "a control group of the build", until: { try groups().contains { $0.contains(own) } })
        build.send(9)
        _ = try build.wait()
        let next = try scratch.context("FROM lamina/base\nRUN true\n", named: "next")
        try lamina.build(next, "--memory", "64m")
        #expect(try !groups().contains { $0.contains(own) })
    }
}
