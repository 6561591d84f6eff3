import CLinux
import Glibc
import Linux
import SystemPackage
import Testing

@testable import Sandbox

/// Steps on their way from Swift to the interpreter in C.
@Suite struct StepEncodingTests {
    /// Every operation, with the name that the interpreter must have for it.
    static let operations: [(SandboxStep.Operation, String)] = [
        (.mount(source: "a", target: "/b", type: "tmpfs", flags: .readOnly, data: "size=1"), "mount"),
        (.mount(source: nil, target: "/b", type: nil, flags: [], data: nil), "mount"),
        (.mountTemporary(target: "/b", flags: .noSetuid, data: nil), "mount temporary"),
        (.restrictMount("/a", .readOnly), "remount"),
        (.restrictTree("/a", .readOnly), "restrict tree"),
        (.makeDirectory("/a", permissions: 0o755), "make directory"),
        (.makeFile("/a", content: [], permissions: 0o600, owner: 1, group: 2), "make file"),
        (.makeMountPoint("/a", .file), "make point"),
        (.makeMountPoint("/a", .like(slot: 511)), "make point"),
        (.makeWorkingDirectory("/a", owner: 1, group: 2), "make point"),
        (.write("/a", "x"), "write"),
        (.symlink("/a", to: "/b"), "symlink"),
        (.openTree(slot: 1, root: nil, path: "/a"), "open tree"),
        (.openTree(slot: 1, root: "/r", path: "/a"), "open tree"),
        (.openTrees(slot: 1, path: "/a"), "open tree"),
        (.attach(slot: 1, target: "/a"), "move mount"),
        (.openFileSystem(slot: 1, type: "proc"), "open file system"),
        (.setOption(slot: 1, key: "k", value: "v"), "set option"),
        (.setOption(slot: 1, key: "k", value: ""), "set option"),
        (.makeMount(slot: 1), "make mount"),
        (.takeInherited(slot: 1), "take inherited"),
        (.placeInherited(number: 3), "place inherited"),
        (.pivotRoot("/a"), "pivot"),
        (.changeRoot("/a"), "chroot"),
        (.changeDirectory("/a"), "chdir"),
        (.mask("/a"), "mask"),
        (.makeReadOnly("/a"), "read-only"),
        (.joinNetwork("/a"), "setns"), (.joinNamespace("/a", .mount), "setns"),
        (.joinUserNamespace, "join user namespace"),
        (.newControlGroupNamespace, "unshare"),
        (.setHostname("h"), "hostname"),
        (.bringLoopbackUp, "loopback"),
        (.limit(ResourceLimit(resource: 7, soft: 1, hard: 2)), "rlimit"),
        (.limit(ResourceLimit(resource: 7, soft: 1, hard: 2, isCeiling: true)), "lower limit"),
        (.dieWithParent, "parent death"),
        (.newKeyring, "keyring"),
        (.limitBoundingSet(.container), "bounding set"),
        (.setCapabilities(.container, areInherited: true), "capabilities"),
        (.setGroups([]), "groups"),
        (.setGroups([1, 2]), "groups"),
        (.setIdentity(uid: 1, gid: 2), "identity"),
        (.placeStandardStreams(owner: 1), "stdio"),
        (.openTerminal(owner: 1, isControlling: true, size: nil), "terminal"),
        (.placeInit, "init"),
        (.closeDescriptors(from: 3), "close from"),
        (.newSession, "setsid"),
        (.setUmask(0o22), "umask"),
        (.keepCapabilities, "prctl"),
        (.forbidNewPrivileges, "prctl"),
        (.execute("sh"), "execute"),
    ]

    private func decode(_ operation: SandboxStep.Operation) throws -> (name: String, isValid: Bool) {
        let encoding = StepEncoding([SandboxStep(operation)])
        var step = try #require(encoding.steps.first)
        let isValid = unsafe linux_spawn_check(&step, encoding.texts.count) == 0
        return (try #require(Self.name(step.operation)), isValid)
    }

    private static func name(_ code: UInt32) -> String? {
        unsafe linux_spawn_operation_name(code).map { unsafe String(cString: $0) }
    }

    @Test(arguments: operations)
    func areUnderstoodByTheInterpreter(_ operation: SandboxStep.Operation, _ name: String) throws {
        #expect(try decode(operation) == (name, true))
    }

    @Test func areUnderstoodWithRulesAndFilters() throws {
        let rules = try #require(LandlockRules(version: 7))
        #expect(try decode(.confine(to: "/", rules)) == ("landlock", true))
        let filter = try SeccompFilter.compiled(.standard, for: .container)
        #expect(try decode(.installFilter(filter)) == ("seccomp", true))
    }

    /// No code of the interpreter is without an operation here, so none is left out of the table above.
    @Test func coverTheInterpreter() throws {
        let others = ["landlock", "seccomp"]
        let names = Set(Self.operations.map(\.1) + others)
        let known = (1..<UInt32(LINUX_SPAWN_OPERATIONS.rawValue)).compactMap(Self.name)
        #expect(Set(known) == names)
        #expect(known.count == Int(LINUX_SPAWN_OPERATIONS.rawValue) - 1)
    }

    @Test(arguments: [0, UInt32(LINUX_SPAWN_OPERATIONS.rawValue), 1000, .max])
    func unknownCodesAreRefused(_ code: UInt32) {
        var step = linux_spawn_step()
        step.operation = code
        #expect(Self.name(code) == nil)
        let outcome = unsafe linux_spawn_check(&step, 1)
        #expect(outcome == -1)
    }

    @Test func missingAndForeignValuesAreRefused() {
        func isValid(_ change: (inout linux_spawn_step) -> Void) -> Bool {
            var step = linux_spawn_step()
            step.operation = LINUX_SPAWN_CHDIR.rawValue
            step.text.0 = 1
            change(&step)
            return unsafe linux_spawn_check(&step, 4) == 0
        }
        #expect(isValid { _ in })
        #expect(!isValid { $0.text.0 = 0 })
        #expect(!isValid { $0.text.0 = 4 })
        #expect(!isValid { $0.text.1 = 1 })
        #expect(!isValid { $0.number.0 = 1 })
        #expect(!isValid { $0.tolerance = 9 })
        #expect(
            !isValid {
                $0.operation = LINUX_SPAWN_MOVE_MOUNT.rawValue
                $0.number.0 = UInt64(LINUX_SPAWN_SLOTS)
            })
    }

    /// A command that is not the last step would run before its capabilities are dropped.
    @Test func commandsThatAreNotLastAreRefused() {
        let steps = [SandboxStep(.execute("/bin/true")), SandboxStep(.newSession)]
        let encoding = StepEncoding(steps, arguments: ["/bin/true"], environment: [])
        #expect(throws: SpawnFailure.self) { _ = try encoding.spawn(namespaces: [], standardStreams: (-1, -1, -1)) }
        #expect(encoding.obstacle(namespaces: []) == Errno.invalidArgument.description)
    }
}
