import Diagnostics
import Linux
import SystemPackage
import Testing

@testable import Sandbox

@Suite struct SandboxPlanTests {
    private func spec() -> SandboxSpec {
        SandboxSpec(
            arguments: ["sh", "-c", "true"],
            root: .overlay(lowers: ["/s/l/2", "/s/l/1"], upper: "/s/u/3", work: "/s/w/3"), scratch: "/s/tmp")
    }

    private func steps(_ spec: SandboxSpec) throws -> [String] { try SandboxPlan(spec).steps.map(\.description) }

    @Test func listsEveryStep() throws {
        var spec = spec()
        spec.resolvConf = "/s/resolv.conf"
        spec.maskedPaths = ["/proc/kcore"]
        spec.readOnlyPaths = ["/proc/sys"]
        spec.seccomp = nil
        #expect(
            try steps(spec) == [
                "create a session",
                "set the umask to 22",
                "create a cgroup namespace",
                "mount nothing on / (recursive,private)",
                "mount tmpfs on /s/tmp (nosuid,nodev,mode=700)",
                "create /s/tmp/root (mode 700)",
                "enter the directory /s",
                "mount overlay on /s/tmp/root (nodev,"
                    + "lowerdir=l/2:l/1,upperdir=u/3,workdir=w/3,index=off,redirect_dir=nofollow,metacopy=off)",
                "take /dev/null as #0",
                "take /dev/zero as #1",
                "take /dev/full as #2",
                "take /dev/random as #3",
                "take /dev/urandom as #4",
                "take /dev/tty as #5",
                "take /s/resolv.conf as #6",
                "make /s/tmp/root the root",
                "create the working directory / (owner 0:0)",
                "create the mount point /proc",
                "mount proc on /proc (nosuid,nodev,noexec)",
                "create the mount point /dev",
                "mount tmpfs on /dev (nosuid,nodev,strictatime,mode=755,size=65536k)",
                "create the mount point /dev/null",
                "mount #0 on /dev/null",
                "restrict the mount on /dev/null (ro,nosuid,noexec)",
                "create the mount point /dev/zero",
                "mount #1 on /dev/zero",
                "restrict the mount on /dev/zero (ro,nosuid,noexec)",
                "create the mount point /dev/full",
                "mount #2 on /dev/full",
                "restrict the mount on /dev/full (ro,nosuid,noexec)",
                "create the mount point /dev/random",
                "mount #3 on /dev/random",
                "restrict the mount on /dev/random (ro,nosuid,noexec)",
                "create the mount point /dev/urandom",
                "mount #4 on /dev/urandom",
                "restrict the mount on /dev/urandom (ro,nosuid,noexec)",
                "create the mount point /dev/tty",
                "mount #5 on /dev/tty",
                "restrict the mount on /dev/tty (ro,nosuid,noexec)",
                "link /dev/ptmx to pts/ptmx",
                "link /dev/fd to /proc/self/fd",
                "link /dev/stdin to /proc/self/fd/0",
                "link /dev/stdout to /proc/self/fd/1",
                "link /dev/stderr to /proc/self/fd/2",
                "create the mount point /dev/pts",
                "mount devpts on /dev/pts (nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5)",
                "create the mount point /dev/shm",
                "mount tmpfs on /dev/shm (nosuid,nodev,noexec,mode=1777,size=67108864)",
                "create the mount point /dev/mqueue",
                "mount mqueue on /dev/mqueue (nosuid,nodev,noexec)",
                "create the mount point /sys",
                "mount sysfs on /sys (ro,nosuid,nodev,noexec)",
                "create the mount point /etc/resolv.conf",
                "mount #6 on /etc/resolv.conf",
                "restrict the mount on /etc/resolv.conf (ro,nosuid,nodev,noexec)",
                "mask /proc/kcore",
                "make /proc/sys read-only",
                "set the host name to buildkitsandbox",
                "place the standard streams (owner 0)",
                "enter the directory /",
                "create a session keyring",
                "limit the bounding set to \(CapabilitySet.container)",
                "set the groups to []",
                "become user 0:0",
                "die with the parent",
                "close the descriptors from 3",
                "set the capabilities to \(CapabilitySet.container)",
                "execute sh",
            ])
        #expect(try SandboxPlan(spec).namespaces == [.mount, .process, .interprocess, .hostname])
    }

    /// In a user namespace the kernel makes these two only where they can be seen, and in a container perhaps not at all.
    @Test func takesTheKernelsFileSystemsAlong() throws {
        var spec = spec()
        spec.hostCapabilities.isConfined = true
        spec.hostCapabilities.overlay = .user
        var steps = try steps(spec)
        let pivot = try #require(steps.firstIndex(of: "make /s/tmp/root the root"))
        let proc = try #require(steps.firstIndex(of: "prepare proc as #6"))
        #expect(proc < pivot && steps.contains("mount #6 on /proc"))
        #expect(steps.contains("prepare sysfs as #7") && steps.contains { $0.hasSuffix("metacopy=off,userxattr)") })

        spec.hostCapabilities.mountsProcesses = false
        spec.hostCapabilities.mountsSystem = false
        steps = try self.steps(spec)
        #expect(steps.contains("take all of /proc as #6") && steps.contains("take all of /sys as #7"))
        #expect(steps.contains("restrict all mounts on /sys (ro,nosuid,nodev,noexec)"))
        spec.network = .none
        #expect(try self.steps(spec).contains("prepare sysfs as #7"))
    }

    @Test func keepsToTheNumbersThereAre() throws {
        var spec = spec()
        spec.hostCapabilities.identities = IDMaps(
            users: IDMap(own: 1000, subordinates: []), groups: IDMap(own: 1000, subordinates: []))
        let steps = try steps(spec)
        #expect(!steps.contains { $0.hasPrefix("set the groups") || $0.contains("gid=5") })
    }

    @Test func adaptsToTheNetwork() throws {
        var spec = spec()
        spec.network = .none
        #expect(try steps(spec).contains("bring the loopback interface up"))
        #expect(try SandboxPlan(spec).namespaces.contains(.network))
        spec.network = .namespace("/run/netns/a")
        #expect(try steps(spec).contains("join the network namespace /run/netns/a"))
        #expect(try !SandboxPlan(spec).namespaces.contains(.network))
    }

    @Test func joinsControlGroupsBeforeItHidesThem() throws {
        var spec = spec()
        spec.controlGroups = SandboxControlGroups(members: ["/c/x/cgroup.procs"], isUnified: true)
        let steps = try steps(spec)
        #expect(steps[2...3] == [#"write "0" to /c/x/cgroup.procs"#, "create a cgroup namespace"])
        #expect(steps.contains("mount cgroup2 on /sys/fs/cgroup (ro,nosuid,nodev,noexec)"))
    }

    @Test func mountsParentsFirst() throws {
        var spec = spec()
        let mount = { SandboxMount(target: $0, source: .temporary(size: nil), isReadOnly: false) }
        spec.mounts = ["/b/c", "/b-a", "/a/x", "/b"].map(mount)
        let targets = try steps(spec).filter { $0.hasSuffix("(nosuid,nodev)") }
        #expect(targets == ["/a/x", "/b", "/b/c", "/b-a"].map { "mount tmpfs on \($0) (nosuid,nodev)" })
    }

    @Test func mountsSharedMemoryAsItIsAskedFor() throws {
        var spec = spec()
        func mounts() throws -> [String] { try steps(spec).filter { $0.hasPrefix("mount tmpfs on /dev/shm") } }
        spec.sharedMemorySize = 1 << 20
        #expect(try mounts() == ["mount tmpfs on /dev/shm (nosuid,nodev,mode=1777,size=1048576)"])
        // A mount of memory replaces it; one of anything else goes on top.
        spec.mounts = [SandboxMount(target: "/dev/shm/", source: .temporary(size: 4096), isReadOnly: false)]
        #expect(try mounts() == ["mount tmpfs on /dev/shm (nosuid,nodev,size=4096)"])
    }

    @Test func keepsSecretsOutOfItsDescription() throws {
        var spec = spec()
        spec.mounts = [
            SandboxMount(
                target: "/run/secrets/s",
                source: .file(content: Array("hunter2".utf8), permissions: 0o400, owner: 5, group: 6), isReadOnly: true)
        ]
        let steps = try steps(spec)
        #expect(steps.contains("create /s/tmp/file6 (7 bytes, mode 400, owner 5:6)"))
        #expect(!steps.contains { $0.contains("hunter2") })
    }

    @Test func installsTheFilterAsLateAsCanBe() throws {
        var spec = spec()
        spec.user = SandboxUser(uid: 5, gid: 5)
        spec.forbidsNewPrivileges = true
        let last = try steps(spec).suffix(5)
        #expect(last.dropLast(3).elementsEqual(["close the descriptors from 3", "forbid new privileges"]))
        #expect(last.dropFirst(2).first?.hasPrefix("install the seccomp filter") == true)
        #expect(last.suffix(2) == ["set the capabilities to ", "execute sh"])
        spec.seccomp = nil
        #expect(try !steps(spec).contains { $0.contains("seccomp") || $0 == "keep the capabilities" })
    }

    @Test func namesWhatCannotBeMounted() throws {
        var spec = spec()
        spec.mounts = [SandboxMount(target: "/etc/passwd", source: .bind("/s/data"), isReadOnly: false)]
        let plan = try SandboxPlan(spec)
        let step = try #require(plan.steps.firstIndex { $0.description == "mount #6 on /etc/passwd" })
        let error = plan.explain(SpawnFailure(step: step, errno: .notDirectory, isInterpreterMissing: false))
        #expect(error.message == "cannot mount /s/data on /etc/passwd: Not a directory")
    }

    @Test func hidesNothingWhenInsecure() throws {
        var spec = spec()
        spec.security = .insecure
        let steps = try steps(spec)
        #expect(!steps.contains { $0.hasPrefix("mask ") || $0.hasPrefix("limit the bounding") || $0.contains("(ro,") })
        #expect(steps.contains("set the capabilities to all, inherited"))
    }

    @Test(arguments: [(1, true), (200, false)])
    func givesLayersOneByOneWhenTheyAreMany(_ count: Int, _ isShort: Bool) throws {
        var spec = spec()
        let lowers = (0..<count).map { FilePath("/store/snapshots/0123456789abcdef-\($0)") }
        spec.root = .overlay(lowers: lowers, upper: "/store/u", work: "/store/w")
        let steps = try steps(spec)
        #expect(steps.contains { $0.hasPrefix("mount overlay on") } == isShort)
        #expect(steps.count { $0.hasPrefix("set lowerdir+=snapshots/") } == (isShort ? 0 : count))
    }

    @Test func rejectsWhatNoSystemCallTakes() throws {
        let changes: [(inout SandboxSpec) -> Void] = [
            { $0.arguments = [] }, { $0.arguments = [""] }, { $0.arguments = ["a\0b"] }, { $0.environment = ["A=\0"] },
            { $0.workingDirectory = "relative" }, { $0.hostname = "\0" }, { $0.root = .layers([]) },
            { $0.mounts = [SandboxMount(target: "x", source: .bind("/x"), isReadOnly: true)] },
            { $0.mounts = [SandboxMount(target: "/a/..", source: .bind("/x"), isReadOnly: true)] },
        ]
        for change in changes {
            var changed = spec()
            change(&changed)
            let error = #expect(throws: SandboxError.self) { try SandboxPlan(changed) }
            #expect(error?.code == .invalid)
        }
    }
}
