import CLinux
import Glibc
import Linux
import SystemPackage

/// Steps in the form the interpreter in C takes: numbers, and offsets into one array of bytes, so that no pointer has
/// to be kept valid.
struct StepEncoding {
    private(set) var steps: [linux_spawn_step] = []
    /// Offset 0 means no text.
    private(set) var texts: [UInt8] = [0]
    private(set) var arguments: [UInt32] = []
    private(set) var environment: [UInt32] = []

    init(_ plan: SandboxPlan) {
        self.init(plan.steps, arguments: plan.spec.arguments, environment: plan.spec.environment)
    }

    init(_ steps: [SandboxStep], arguments: [String], environment: [String]) {
        self.init(steps)
        self.arguments = arguments.map { add(Array($0.utf8)) }
        self.environment = environment.map { add(Array($0.utf8)) }
    }

    init(_ steps: [SandboxStep]) {
        self.steps.reserveCapacity(steps.count)
        for step in steps { append(step) }
    }

    private mutating func add(_ bytes: [UInt8]) -> UInt32 {
        let offset = UInt32(texts.count)
        texts += bytes
        texts.append(0)
        return offset
    }

    private mutating func append(_ step: SandboxStep) {
        let form = step.operation.form
        var encoded = linux_spawn_step()
        encoded.operation = form.code.rawValue
        encoded.tolerance =
            switch step.tolerance {
            case .mustSucceed: LINUX_SPAWN_MUST_SUCCEED.rawValue
            case .mayBeMissing: LINUX_SPAWN_MAY_BE_MISSING.rawValue
            case .mayFail: LINUX_SPAWN_MAY_FAIL.rawValue
            }
        let texts = form.texts.map { $0.map { add($0) } ?? 0 } + [0, 0, 0, 0]
        encoded.text = (texts[0], texts[1], texts[2], texts[3])
        let numbers = form.numbers + [0, 0, 0]
        encoded.number = (numbers[0], numbers[1], numbers[2])
        steps.append(encoded)
    }
}

/// The C form of an operation: see `linux_spawn.h` for what each text and number means.
private struct StepForm {
    let code: linux_spawn_operation
    let texts: [[UInt8]?]
    let numbers: [UInt64]

    init(_ code: linux_spawn_operation, _ texts: [[UInt8]?], _ numbers: [UInt64] = []) {
        self.code = code
        self.texts = texts
        self.numbers = numbers
    }

    init(_ code: linux_spawn_operation, _ paths: FilePath?..., numbers: [UInt64] = []) {
        self.init(code, paths.map { $0.map { PathBytes($0).bytes } }, numbers)
    }

    init(_ code: linux_spawn_operation, slot: Int, _ texts: [UInt8]?..., flag: Bool? = nil) {
        self.init(code, texts, [UInt64(slot)] + (flag.map { [$0 ? 1 : 0] } ?? []))
    }
}

private func owner(_ uid: UInt32, _ gid: UInt32) -> UInt64 { UInt64(uid) << 32 | UInt64(gid) }

private func bytes(_ path: FilePath) -> [UInt8] { PathBytes(path).bytes }

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension SandboxStep.Operation {
    /// One switch without a default: an operation without a code does not compile.
    fileprivate var form: StepForm {
        switch self {
        case .mount(let source, let target, let type, let flags, let data):
            StepForm(
                LINUX_SPAWN_MOUNT, [source.map(bytes), bytes(target), type.map(bytes), data?.bytes], [flags.rawValue])
        case .mountTemporary(let target, let flags, let data):
            StepForm(LINUX_SPAWN_TEMPORARY, [bytes(target), data?.bytes], [flags.rawValue])
        case .restrictMount(let path, let flags): StepForm(LINUX_SPAWN_REMOUNT, path, numbers: [flags.rawValue])
        case .restrictTree(let path, let flags): StepForm(LINUX_SPAWN_RESTRICT_TREE, path, numbers: [flags.rawValue])
        case .makeDirectory(let path, let mode): StepForm(LINUX_SPAWN_MAKE_DIRECTORY, path, numbers: [UInt64(mode)])
        case .makeFile(let path, let content, let mode, let uid, let gid):
            StepForm(
                LINUX_SPAWN_MAKE_FILE, [bytes(path), content], [UInt64(content.count), UInt64(mode), owner(uid, gid)])
        case .makeMountPoint(let path, let kind): StepForm(LINUX_SPAWN_MAKE_POINT, path, numbers: [kind.number])
        case .makeWorkingDirectory(let path, let uid, let gid):
            StepForm(LINUX_SPAWN_MAKE_POINT, path, numbers: [UInt64(LINUX_SPAWN_POINT_DIRECTORY), 1, owner(uid, gid)])
        case .write(let path, let text):
            StepForm(LINUX_SPAWN_WRITE, [bytes(path), bytes(text)], [UInt64(text.utf8.count)])
        case .symlink(let path, let target): StepForm(LINUX_SPAWN_SYMLINK, target, path)
        case .openTree(let slot, let root, let path):
            StepForm(LINUX_SPAWN_OPEN_TREE, slot: slot, root.map(bytes), bytes(path))
        case .openTrees(let slot, let path): StepForm(LINUX_SPAWN_OPEN_TREE, slot: slot, nil, bytes(path), flag: true)
        case .attach(let slot, let target): StepForm(LINUX_SPAWN_MOVE_MOUNT, slot: slot, bytes(target))
        case .openFileSystem(let slot, let type): StepForm(LINUX_SPAWN_FS_OPEN, slot: slot, bytes(type))
        case .setOption(let slot, let key, let value):
            StepForm(LINUX_SPAWN_FS_STRING, slot: slot, bytes(key), value.isEmpty ? nil : value.bytes)
        case .makeMount(let slot): StepForm(LINUX_SPAWN_FS_MOUNT, slot: slot)
        case .takeInherited(let slot): StepForm(LINUX_SPAWN_TAKE_INHERITED, slot: slot)
        case .placeInherited(let number): StepForm(LINUX_SPAWN_PLACE_INHERITED, numbers: [UInt64(number)])
        case .pivotRoot(let path): StepForm(LINUX_SPAWN_PIVOT, path)
        case .changeRoot(let path): StepForm(LINUX_SPAWN_CHROOT, path)
        case .changeDirectory(let path): StepForm(LINUX_SPAWN_CHDIR, path)
        case .mask(let path): StepForm(LINUX_SPAWN_MASK, path)
        case .makeReadOnly(let path): StepForm(LINUX_SPAWN_READ_ONLY, path)
        case .joinNetwork(let path): StepForm(LINUX_SPAWN_SETNS, path, numbers: [NamespaceSet.network.rawValue])
        case .joinNamespace(let path, let kind): StepForm(LINUX_SPAWN_SETNS, path, numbers: [kind.rawValue])
        case .joinUserNamespace: StepForm(LINUX_SPAWN_JOIN_USER)
        case .newControlGroupNamespace: StepForm(LINUX_SPAWN_UNSHARE, numbers: [NamespaceSet.controlGroup.rawValue])
        case .setHostname(let name): StepForm(LINUX_SPAWN_HOSTNAME, [bytes(name)])
        case .bringLoopbackUp: StepForm(LINUX_SPAWN_LOOPBACK)
        case .limit(let limit):
            StepForm(
                limit.isCeiling ? LINUX_SPAWN_LOWER_LIMIT : LINUX_SPAWN_RLIMIT,
                numbers: [UInt64(limit.resource), limit.soft, limit.hard])
        case .dieWithParent: StepForm(LINUX_SPAWN_PARENT_DEATH, numbers: [UInt64(SIGKILL)])
        case .newKeyring: StepForm(LINUX_SPAWN_KEYRING)
        case .limitBoundingSet(let set): StepForm(LINUX_SPAWN_BOUNDING, numbers: [set.rawValue])
        case .setCapabilities(let set, let areInherited):
            StepForm(LINUX_SPAWN_CAPABILITIES, numbers: [set.rawValue, areInherited ? 1 : 0])
        case .setGroups(let groups):
            StepForm(LINUX_SPAWN_GROUPS, [groups.flatMap(\.littleEndianBytes)], [UInt64(groups.count)])
        case .setIdentity(let uid, let gid): StepForm(LINUX_SPAWN_IDENTITY, numbers: [UInt64(uid), UInt64(gid)])
        case .placeStandardStreams(let owner): StepForm(LINUX_SPAWN_STDIO, numbers: [UInt64(owner)])
        case .openTerminal(let owner, let isControlling, let size):
            StepForm(LINUX_SPAWN_TERMINAL, numbers: [UInt64(owner), isControlling ? 1 : 0, size?.packed ?? 0])
        case .placeInit: StepForm(LINUX_SPAWN_INIT)
        case .closeDescriptors(let first): StepForm(LINUX_SPAWN_CLOSE_FROM, numbers: [UInt64(first)])
        case .newSession: StepForm(LINUX_SPAWN_SETSID)
        case .setUmask(let mask): StepForm(LINUX_SPAWN_UMASK, numbers: [UInt64(mask)])
        case .keepCapabilities: StepForm(LINUX_SPAWN_PRCTL, numbers: [PrctlOption.keepCapabilities, 1])
        case .forbidNewPrivileges: StepForm(LINUX_SPAWN_PRCTL, numbers: [PrctlOption.noNewPrivileges, 1])
        case .confine(let path, let rules): StepForm(LINUX_SPAWN_LANDLOCK, path, numbers: [rules.rights, rules.scopes])
        case .installFilter(let filter):
            StepForm(LINUX_SPAWN_SECCOMP, [filter.program], [UInt64(filter.count), filter.flags.rawValue])
        case .execute: StepForm(LINUX_SPAWN_EXECUTE)
        }
    }
}

extension TerminalSize {
    fileprivate var packed: UInt64 { UInt64(rows) << 16 | UInt64(columns) }
}

/// Numbers of `prctl(2)`, which are macros of a header Swift does not see.
private enum PrctlOption {
    static let keepCapabilities: UInt64 = 8
    static let noNewPrivileges: UInt64 = 38
}

extension SandboxStep.MountPointKind {
    fileprivate var number: UInt64 {
        switch self {
        case .file: UInt64(LINUX_SPAWN_POINT_FILE)
        case .directory: UInt64(LINUX_SPAWN_POINT_DIRECTORY)
        case .like(let slot): UInt64(LINUX_SPAWN_POINT_LIKE_SLOT) + UInt64(slot)
        }
    }
}

extension UInt32 {
    /// The machines we run on are little-endian, so this is how an array of `gid_t` lies in memory.
    fileprivate var littleEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
