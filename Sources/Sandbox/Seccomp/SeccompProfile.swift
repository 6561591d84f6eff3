import Glibc
package import Linux

/// Which system calls a command may make: the profile format of Docker and of the OCI runtime specification.
package struct SeccompProfile: Hashable, Sendable {
    /// The action for a call without a rule.
    package let defaultAction: Action
    /// Names such as `x86_64`, `x32` and `aarch64`, the machine's own among them or not; `nil` for the machine's own
    /// with the older ones it also runs.
    package let architectures: [String]?
    package let flags: Flags
    package let rules: [Rule]

    package init(
        defaultAction: Action, architectures: [String]? = nil, flags: Flags = .speculationAllowed, rules: [Rule]
    ) {
        self.defaultAction = defaultAction
        self.architectures = architectures
        self.flags = flags
        self.rules = rules
    }

    /// The action for a call. The raw values are the `SECCOMP_RET_` numbers of `seccomp(2)`.
    package struct Action: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let allow = Action(rawValue: 0x7fff_0000)
        package static let log = Action(rawValue: 0x7ffc_0000)
        package static let killThread = Action(rawValue: 0)
        package static let killProcess = Action(rawValue: 0x8000_0000)
        package static let trap = Action(rawValue: 0x0003_0000)

        /// The call fails with this number.
        package static func errno(_ number: Int32) -> Action {
            Action(rawValue: 0x0005_0000 | UInt32(truncatingIfNeeded: number) & 0xffff)
        }

        /// A tracer decides; without one the call fails with ENOSYS.
        package static func trace(_ data: UInt32) -> Action { Action(rawValue: 0x7ff0_0000 | data & 0xffff) }

        var isErrno: Bool { rawValue & 0xffff_0000 == 0x0005_0000 }
    }

    /// The raw values are the `SECCOMP_FILTER_FLAG_` numbers of `seccomp(2)`.
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt64

        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let log = Flags(rawValue: 2)
        /// Without it, older kernels slow the whole process down.
        package static let speculationAllowed = Flags(rawValue: 4)
    }

    /// A condition on one argument of a call.
    package struct Comparison: Hashable, Sendable {
        package enum Relation: Hashable, Sendable {
            case notEqual, less, lessOrEqual, equal, greaterOrEqual, greater
            /// The argument's bits that are set in `value` make up `second`.
            case maskedEqual
        }

        package let argument: UInt32
        package let relation: Relation
        package let value: UInt64
        package let second: UInt64

        package init(_ argument: UInt32, _ relation: Relation, _ value: UInt64, _ second: UInt64 = 0) {
            self.argument = argument
            self.relation = relation
            self.value = value
            self.second = second
        }
    }

    /// The conditions of a rule.
    package struct Condition: Hashable, Sendable {
        package let capabilities: CapabilitySet
        /// In the words of Go: `amd64`, `arm64`; empty for any.
        package let architectures: [String]
        package let kernel: KernelVersion?

        package init(capabilities: CapabilitySet = [], architectures: [String] = [], kernel: KernelVersion? = nil) {
            self.capabilities = capabilities
            self.architectures = architectures
            self.kernel = kernel
        }

        /// Whether all of it holds, as a rule that includes by it asks.
        func holds(for capabilities: CapabilitySet, _ kernel: KernelVersion) -> Bool {
            if !architectures.isEmpty, !architectures.contains(SeccompArchitecture.native.goName) { return false }
            if let least = self.kernel, kernel < least { return false }
            return capabilities.isSuperset(of: self.capabilities)
        }

        /// Whether any of it holds, as a rule that excludes by it asks.
        func touches(_ capabilities: CapabilitySet, _ kernel: KernelVersion) -> Bool {
            if architectures.contains(SeccompArchitecture.native.goName) { return true }
            if let least = self.kernel, kernel >= least { return true }
            return !capabilities.isDisjoint(with: self.capabilities)
        }
    }

    /// The action for some calls.
    package struct Rule: Hashable, Sendable {
        package let names: [String]
        package let action: Action
        package let comparisons: [Comparison]
        package let includes: Condition
        package let excludes: Condition

        package init(
            names: [String], action: Action, comparisons: [Comparison] = [], includes: Condition = Condition(),
            excludes: Condition = Condition()
        ) {
            self.names = names
            self.action = action
            self.comparisons = comparisons
            self.includes = includes
            self.excludes = excludes
        }

        /// A rule of a table: the names are separated by spaces.
        init(
            _ names: String, action: Action = .allow, where comparisons: [Comparison] = [],
            includes: Condition = Condition(), excludes: Condition = Condition()
        ) {
            self.init(
                names: names.split(separator: " ").map(String.init), action: action, comparisons: comparisons,
                includes: includes, excludes: excludes)
        }
    }

    /// The same profile, where no process may trace another or read its memory and descriptors.
    var denyingTracing: SeccompProfile {
        let names: Set = ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "process_madvise"]
        var rules = rules.compactMap { rule -> Rule? in
            let kept = rule.names.filter { !names.contains($0) }
            guard !kept.isEmpty else { return nil }
            return Rule(
                names: kept, action: rule.action, comparisons: rule.comparisons, includes: rule.includes,
                excludes: rule.excludes)
        }
        rules.append(Rule(names: names.sorted(), action: .errno(EPERM)))
        return SeccompProfile(
            defaultAction: defaultAction, architectures: architectures, flags: flags, rules: rules)
    }

    /// The rules that count for a command with these capabilities on this kernel.
    func rules(for capabilities: CapabilitySet, _ kernel: KernelVersion) -> [Rule] {
        rules.filter { rule in
            rule.includes.holds(for: capabilities, kernel) && !rule.excludes.touches(capabilities, kernel)
        }
    }
}
