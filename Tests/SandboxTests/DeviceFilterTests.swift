import Diagnostics
import Linux
import Sandbox
import SystemPackage
import Testing

/// Whether this machine lets a control group filter devices.
private let canFilter = Host.canSandbox && (try? DeviceControlGroup(DeviceFilter())) != nil

@Suite(.enabled(if: canFilter, "needs root and a control group that filters devices"), .tags(.root))
struct DeviceFilterTests {
    /// With version 2 where it is mounted, and with version 1 alone.
    enum Version: CaseIterable, Sendable { case any, legacy }

    /// Runs a script in a sandbox whose mounts allow devices; `nil` where the machine has no such groups.
    private func outcome(of script: String, _ version: Version, adding rules: [DeviceFilter.Rule] = []) throws
        -> Outcome?
    {
        let fixture = try Fixture()
        var hierarchies = ControlGroupHierarchies.current
        if version == .legacy {
            hierarchies = hierarchies.withoutUnified
            guard hierarchies.legacyControllers.contains("devices") else { return nil }
        }
        let group = try DeviceControlGroup(DeviceFilter(adding: rules), in: hierarchies)
        var spec = fixture.shell(script)
        spec.controlGroups.join(group)
        spec.mounts = [SandboxMount(target: "/t", source: .temporary(size: nil), isReadOnly: false)]
        return try run(spec)
    }

    @Test(
        "A device node that a command makes can be used",
        arguments: [
            ("null c 1 3", "echo x > null && wc -c < null", "0"), ("zero c 1 5", "head -c 3 zero | wc -c", "3"),
            ("full c 1 7", "echo x 2>&1 > full | grep -c 'No space'; head -c 2 full | wc -c", "1 2"),
            ("random c 1 8", "head -c 1 random | wc -c", "1"), ("urandom c 1 9", "head -c 4 urandom | wc -c", "4"),
            ("tty c 5 0", "cat tty 2>&1 | grep -c -E 'No such device'", "1"),
            ("ptmx c 5 2", "mkdir pts; ls ptmx", "ptmx"), ("console c 5 1", "ls console", "console"),
        ], Version.allCases)
    func harmless(_ device: (node: String, use: String, output: String), _ version: Version) throws {
        for place in ["/srv", "/t", "/dev"] {
            let script =
                "mkdir -p \(place); cd \(place); rm -f x; mkdir -p new; cd new; mknod -m 666 \(device.node) && { \(device.use); }"
            guard let outcome = try outcome(of: script, version) else { return }
            let errors = String(decoding: outcome.errors, as: UTF8.self)
            #expect(outcome.lines.joined(separator: " ") == device.output, "\(place): \(errors)")
        }
    }

    @Test(
        "A device of the machine cannot be opened through a node that a command makes",
        arguments: [
            "b 8 0", "b 254 0", "b 259 0", "b 7 0", "c 1 1", "c 1 2", "c 1 4", "c 1 11", "c 4 0", "c 5 1", "c 10 200",
            "c 10 229", "c 10 237", "b 1 3", "b 1 0", "c 189 0",
        ], Version.allCases)
    func machine(_ numbers: String, _ version: Version) throws {
        for place in ["/srv", "/t", "/dev"] {
            let script = """
                mkdir -p \(place); cd \(place); mknod -m 666 d \(numbers) && echo made
                cat d > /dev/null; : > d; : <> d
                """
            guard let outcome = try outcome(of: script, version) else { return }
            let errors = String(decoding: outcome.errors, as: UTF8.self)
            #expect(outcome.lines == ["made"], "\(errors)")
            #expect(!outcome.status.isSuccess)
            #expect(errors.split(separator: "\n").count { $0.lowercased().contains("not permitted") } >= 2, "\(errors)")
        }
    }

    @Test("The disk of the machine cannot be read", arguments: Version.allCases)
    func disk(_ version: Version) throws {
        guard let disk = try Disk.any() else { return }
        let script = "mknod -m 666 /d b \(disk.major) \(disk.minor) && head -c 1 /d | wc -c"
        let outcome = try outcome(of: script, version)
        #expect(outcome == nil || outcome?.lines == ["0"])
    }

    @Test("A device that was given can be opened", arguments: Version.allCases)
    func given(_ version: Version) throws {
        // Opened by whoever may, and without an effect.
        guard let rule = DeviceFilter.Rule(deviceAt: "/dev/fuse") else { return }
        let script = "mknod -m 666 /d c 10 229 && : <> /d && echo opened"
        #expect(try outcome(of: script, version)?.lines.isEmpty ?? true)
        #expect(try outcome(of: script, version, adding: [rule])?.lines ?? ["opened"] == ["opened"])
    }

    @Test("Without a filter every mount of the sandbox forbids devices, with one none of its own does")
    func mounts() throws {
        let fixture = try Fixture()
        var spec = fixture.shell("grep -E ' (/|/dev|/t) ' /proc/self/mounts")
        spec.mounts = [SandboxMount(target: "/t", source: .temporary(size: nil), isReadOnly: false)]
        let closed = try run(spec).lines
        #expect(closed.count == 3 && closed.allSatisfy { $0.contains("nodev") })
        let group = try DeviceControlGroup(DeviceFilter())
        spec.controlGroups.join(group)
        let open = try run(spec).lines
        #expect(open.count == 3 && !open.contains { $0.contains("nodev") })
    }

    @Test("The group is removed with its value") func removed() throws {
        var directory: FilePath?
        do {
            let group = try DeviceControlGroup(DeviceFilter())
            directory = group.directory
            #expect(Host.status(group.directory) != nil)
        }
        #expect(Host.status(try #require(directory)) == nil)
    }
}

/// A block device of the machine, which exists whether or not it has a node.
private struct Disk {
    let major: Int
    let minor: Int

    static func any() throws -> Disk? {
        for name in try Directory(opening: "/sys/block").names() {
            guard let text = try? readText(FilePath("/sys/block/\(name.text)/dev")),
                let size = try? readText(FilePath("/sys/block/\(name.text)/size")), size != "0\n"
            else { continue }
            let numbers = text.split { $0 == ":" || $0 == "\n" }.compactMap { Int($0) }
            if numbers.count == 2 { return Disk(major: numbers[0], minor: numbers[1]) }
        }
        return nil
    }
}
