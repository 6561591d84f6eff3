import CSeccomp
import Diagnostics
import Glibc
package import Linux
import Synchronization
import SystemPackage

/// A profile as the program the kernel runs before each system call.
package struct SeccompFilter: Hashable, Sendable {
    /// An array of `struct sock_filter`.
    let program: [UInt8]
    let flags: SeccompProfile.Flags

    var count: Int { program.count / 8 }

    private struct Key: Hashable {
        let profile: SeccompProfile
        let capabilities: CapabilitySet
    }

    private static let made = Mutex<[Key: SeccompFilter]>([:])

    /// The filter of a profile for a command with these capabilities, made once by a process.
    ///
    /// Throws `SandboxError` `.invalid` for a profile that cannot be expressed.
    package static func compiled(
        _ profile: SeccompProfile, for capabilities: CapabilitySet
    ) throws -> SeccompFilter {
        let key = Key(profile: profile, capabilities: capabilities)
        return try made.withLock { made in
            if let filter = made[key] { return filter }
            let filter = try SeccompFilter(profile, for: capabilities)
            made[key] = filter
            return filter
        }
    }

    private init(_ profile: SeccompProfile, for capabilities: CapabilitySet) throws {
        let context = try SeccompContext.begin(profile)
        var newer = NewerCalls(profile.defaultAction, architectures: context.architectures)
        for rule in profile.rules(for: capabilities, .current) where rule.action != profile.defaultAction {
            for name in rule.names {
                if let number = context.number(of: name) {
                    try context.add(rule, name: name, number: number)
                    newer.saw(number)
                } else if rule.comparisons.isEmpty {
                    newer.add(name, rule.action)
                }
            }
        }
        program = newer.program + (try context.export())
        flags = profile.flags
    }
}

/// A filter in the making. See `seccomp_init(3)`.
@safe
private struct SeccompContext: ~Copyable {
    private let context: OpaquePointer
    /// As libseccomp names them.
    let architectures: [UInt32]

    private init(_ context: OpaquePointer, _ architectures: [UInt32]) {
        unsafe self.context = context
        self.architectures = architectures
    }

    static func begin(_ profile: SeccompProfile) throws -> SeccompContext {
        guard let made = unsafe seccomp_init(profile.defaultAction.rawValue) else {
            throw SandboxError(.setup, "cannot make a seccomp filter")
        }
        let native = SeccompArchitecture.native
        let named = profile.architectures.map { $0.compactMap(SeccompArchitecture.token(named:)) }
        let others = (named ?? native.companions).filter { $0 != native.token }
        let context = unsafe SeccompContext(OpaquePointer(made), [native.token] + others)
        for token in others {
            try check("architecture") { unsafe seccomp_arch_add(made, token) }
        }
        // A binary tree: a call costs a dozen comparisons rather than some hundreds.
        try check("order") { unsafe seccomp_attr_set(made, SCMP_FLTATR_CTL_OPTIMIZE, 2) }
        return context
    }

    deinit { unsafe seccomp_release(scmp_filter_ctx(context)) }

    /// The number by which libseccomp knows a call; `nil` for one that is newer than the library.
    func number(of name: String) -> Int32? {
        let number = unsafe seccomp_syscall_resolve_name(name)
        return number == __NR_SCMP_ERROR ? nil : number
    }

    func add(_ rule: SeccompProfile.Rule, name: String, number: Int32) throws {
        let comparisons = rule.comparisons.map(scmp_arg_cmp.init)
        let isRepeated = Set(comparisons.map(\.arg)).count < comparisons.count
        // Two comparisons of one argument are alternatives, by the habit of runc: the library takes one.
        for alternative in isRepeated ? comparisons.map({ [$0] }) : [comparisons] {
            try Self.check("rule for \(name)") {
                unsafe alternative.withUnsafeBufferPointer {
                    unsafe seccomp_rule_add_array(
                        scmp_filter_ctx(context), rule.action.rawValue, number, UInt32($0.count), $0.baseAddress)
                }
            }
        }
    }

    func export() throws -> [UInt8] {
        // Nobody reads while it is written. A pipe of a user who has many holds one page, less than most programs take; a
        // socket holds several times the largest program, which has 4096 instructions of 8 bytes.
        let sockets = try DescriptorPair(areSockets: true)
        try Self.check("program") { unsafe seccomp_export_bpf(scmp_filter_ctx(context), sockets.theirs.number) }
        try Linux.check("close", "a socket") { shutdown(sockets.theirs.number, Int32(SHUT_WR)) }
        return try sockets.ours.descriptor.readAll(limit: 1 << 20)
    }

    private static func check(_ part: String, _ body: () -> Int32) throws {
        let outcome = body()
        guard outcome < 0 else { return }
        throw SandboxError(.invalid, "the seccomp profile has a bad \(part): \(Errno(rawValue: -outcome))")
    }
}

extension scmp_arg_cmp {
    fileprivate init(_ comparison: SeccompProfile.Comparison) {
        let relation: scmp_compare =
            switch comparison.relation {
            case .notEqual: SCMP_CMP_NE
            case .less: SCMP_CMP_LT
            case .lessOrEqual: SCMP_CMP_LE
            case .equal: SCMP_CMP_EQ
            case .greaterOrEqual: SCMP_CMP_GE
            case .greater: SCMP_CMP_GT
            case .maskedEqual: SCMP_CMP_MASKED_EQ
            }
        self.init(arg: comparison.argument, op: relation, datum_a: comparison.value, datum_b: comparison.second)
    }
}

/// The calls that are newer than the library, answered by instructions put before its program.
///
/// Since number 424 a new call has the same number on every architecture. A call that nobody had heard of when the
/// profile was written fails with ENOSYS, not EPERM: a C library then does without it, as on an older kernel.
struct NewerCalls {
    private var calls: [(number: UInt32, action: SeccompProfile.Action)] = []
    /// The newest call the profile speaks of. The older numbers differ between architectures, and all were known.
    private var highest: UInt32 = 423
    private let audits: [UInt32]
    private let isAllowList: Bool

    private static let first: UInt32 = 451
    private static let numbers: [String: UInt32] = Dictionary(
        uniqueKeysWithValues: zip(
            [
                "cachestat", "fchmodat2", "map_shadow_stack", "futex_wake", "futex_wait", "futex_requeue", "statmount",
                "listmount", "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal", "setxattrat",
                "getxattrat", "listxattrat", "removexattrat", "open_tree_attr", "file_getattr", "file_setattr",
                "listns",
            ], first...))

    init(_ defaultAction: SeccompProfile.Action, architectures: [UInt32]) {
        audits = Set(architectures.map(SeccompArchitecture.audit)).sorted()
        isAllowList = defaultAction.isErrno
    }

    mutating func saw(_ number: Int32) { highest = max(highest, UInt32(max(0, number))) }

    mutating func add(_ name: String, _ action: SeccompProfile.Action) {
        guard let number = Self.numbers[name] else { return }
        calls.append((number, action))
        highest = max(highest, number)
    }

    private struct Instruction {
        let code: UInt16
        let ifTrue: UInt8
        let ifFalse: UInt8
        let value: UInt32

        // The codes of classic BPF; see linux/bpf_common.h.
        static func load(_ offset: UInt32) -> Instruction { .init(code: 0x20, ifTrue: 0, ifFalse: 0, value: offset) }
        static func and(_ mask: UInt32) -> Instruction { .init(code: 0x54, ifTrue: 0, ifFalse: 0, value: mask) }
        static func jump(_ distance: Int) -> Instruction {
            .init(code: 0x05, ifTrue: 0, ifFalse: 0, value: UInt32(distance))
        }
        static func ifEqual(_ value: UInt32, skip: Int, else other: Int = 0) -> Instruction {
            .init(code: 0x15, ifTrue: UInt8(skip), ifFalse: UInt8(other), value: value)
        }
        static func ifGreater(_ value: UInt32, skip: Int, else other: Int) -> Instruction {
            .init(code: 0x25, ifTrue: UInt8(skip), ifFalse: UInt8(other), value: value)
        }
        static func answer(_ action: SeccompProfile.Action) -> Instruction {
            .init(code: 0x06, ifTrue: 0, ifFalse: 0, value: action.rawValue)
        }

        /// As `struct sock_filter` lies in memory of a little-endian machine.
        var bytes: [UInt8] {
            [UInt8(truncatingIfNeeded: code), UInt8(code >> 8), ifTrue, ifFalse]
                + (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
    }

    var program: [UInt8] {
        guard isAllowList || !calls.isEmpty else { return [] }
        // The two fields of `struct seccomp_data` that matter: the number at 0, the architecture at 4.
        var body: [Instruction] = [.load(0)]
        // x32 marks its numbers.
        if SeccompArchitecture.native.goName == "amd64" { body.append(.and(~0x4000_0000)) }
        if isAllowList { body += [.ifGreater(highest, skip: 0, else: 1), .answer(.errno(ENOSYS))] }
        for call in calls { body += [.ifEqual(call.number, skip: 0, else: 1), .answer(call.action)] }
        var head: [Instruction] = [.load(4)]
        for (index, audit) in audits.enumerated() { head.append(.ifEqual(audit, skip: audits.count - index)) }
        head.append(.jump(body.count))
        return (head + body).flatMap(\.bytes)
    }
}
