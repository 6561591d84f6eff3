import Diagnostics
import Glibc
import Linux
package import OCI
package import Sandbox
package import SystemPackage

/// Reading a profile in the format of Docker, of which that of the OCI runtime specification is a part.
extension SeccompProfile {
    /// Throws ``RequestsError`` `.badOption`.
    package init(reading path: FilePath) throws {
        let bytes: [UInt8]
        do { bytes = try OwnedDescriptor.open(path).readAll(limit: 4 << 20) } catch let error as LinuxError {
            throw SandboxRequest.bad(
                "opening seccomp profile (\(path)) failed: \(error.errno?.description ?? error.message)")
        }
        do { try self.init(JSON(parsing: bytes)) } catch let error as any AnyFailure {
            throw SandboxRequest.bad("decoding seccomp profile (\(path)) failed: \(error.message)", hint: error.hint)
        }
    }

    package init(_ document: JSON) throws {
        guard let name = document["defaultAction"]?.string else {
            throw SandboxRequest.bad("there is no defaultAction")
        }
        guard document["listenerPath"] == nil else {
            throw SandboxRequest.bad("listenerPath is not supported: there is nobody to be notified of a call")
        }
        self.init(
            defaultAction: try Action(name, errno: document["defaultErrnoRet"]),
            architectures: try Self.architectures(document),
            flags: try document["flags"].flatMap { $0 == .null ? nil : $0 }.map(Self.flags) ?? .speculationAllowed,
            rules: try Self.optionalArray(document["syscalls"], "syscalls").map(Rule.init))
    }

    /// The list of an OCI profile, or that of this machine in Docker's map. A profile with neither is for the machine's
    /// own architecture alone.
    private static func architectures(_ document: JSON) throws -> [String] {
        let list = try optionalArray(document["architectures"], "architectures")
        let map = try optionalArray(document["archMap"], "archMap")
        guard list.isEmpty || map.isEmpty else {
            throw SandboxRequest.bad("both 'architectures' and 'archMap' are there", hint: "Use one of them.")
        }
        if !list.isEmpty { return try list.map { try architecture($0) } }
        for entry in map {
            let name = try architecture(entry["architecture"] ?? .null)
            guard name == native else { continue }
            return [name]
                + (try optionalArray(entry["subArchitectures"], "subArchitectures").map { try architecture($0) })
        }
        return [native]
    }

    #if arch(x86_64)
    private static let native = "x86_64"
    #else
    private static let native = "aarch64"
    #endif

    private static func architecture(_ value: JSON) throws -> String {
        guard let name = value.string, name.hasPrefix("SCMP_ARCH_") else {
            throw SandboxRequest.bad("an architecture is not one of SCMP_ARCH_…")
        }
        return name.dropFirst("SCMP_ARCH_".count).lowercased()
    }

    private static func flags(_ value: JSON) throws -> Flags {
        var flags: Flags = []
        for flag in try optionalArray(value, "flags") {
            switch flag.string {
            case "SECCOMP_FILTER_FLAG_LOG": flags.insert(.log)
            case "SECCOMP_FILTER_FLAG_SPEC_ALLOW": flags.insert(.speculationAllowed)
            // There is one thread only when the filter is installed.
            case "SECCOMP_FILTER_FLAG_TSYNC": break
            case let name: throw SandboxRequest.bad("flag \(name ?? "without a name") is not supported")
            }
        }
        return flags
    }

    fileprivate static func optionalArray(_ value: JSON?, _ name: String) throws -> [JSON] {
        guard let value, value != .null else { return [] }
        guard let array = value.array else { throw SandboxRequest.bad("\(name) is not a list") }
        return array
    }
}

extension SeccompProfile.Action {
    fileprivate init(_ name: String, errno: JSON?) throws {
        let number = errno?.integer.flatMap { Int32(exactly: $0) } ?? EPERM
        guard errno?.integer == nil || (0...4095).contains(number) else { throw SandboxRequest.bad("a bad errnoRet") }
        switch name {
        case "SCMP_ACT_ALLOW": self = .allow
        case "SCMP_ACT_ERRNO": self = .errno(number)
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": self = .killThread
        case "SCMP_ACT_KILL_PROCESS": self = .killProcess
        case "SCMP_ACT_TRAP": self = .trap
        case "SCMP_ACT_TRACE": self = .trace(UInt32(number))
        case "SCMP_ACT_LOG": self = .log
        default: throw SandboxRequest.bad("action \(name) is not supported")
        }
    }
}

extension SeccompProfile.Rule {
    fileprivate init(_ value: JSON) throws {
        guard let action = value["action"]?.string else { throw SandboxRequest.bad("a rule has no action") }
        let one = value["name"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let names = value["names"]?.strings ?? []
        guard one == nil || names.isEmpty else {
            throw SandboxRequest.bad("both 'name' and 'names' are in a rule", hint: "Use one of them.")
        }
        self.init(
            names: one.map { [$0] } ?? names, action: try .init(action, errno: value["errnoRet"]),
            comparisons: try SeccompProfile.optionalArray(value["args"], "args").map(SeccompProfile.Comparison.init),
            includes: try .init(value["includes"]), excludes: try .init(value["excludes"]))
    }
}

extension SeccompProfile.Comparison {
    fileprivate init(_ value: JSON) throws {
        guard let index = value["index"]?.integer, (0...5).contains(index) else {
            throw SandboxRequest.bad("a rule has no good argument index")
        }
        self.init(
            UInt32(index), try Self.relation(value["op"]?.string), try Self.number(value["value"]),
            try Self.number(value["valueTwo"]))
    }

    private static func number(_ value: JSON?) throws -> UInt64 {
        guard let value, value != .null else { return 0 }
        guard case .number(let text) = value, let number = UInt64(text) else {
            throw SandboxRequest.bad("a value to compare with is not a number of 64 bits")
        }
        return number
    }

    private static func relation(_ name: String?) throws -> Relation {
        switch name {
        case "SCMP_CMP_NE": .notEqual
        case "SCMP_CMP_LT": .less
        case "SCMP_CMP_LE": .lessOrEqual
        case "SCMP_CMP_EQ": .equal
        case "SCMP_CMP_GE": .greaterOrEqual
        case "SCMP_CMP_GT": .greater
        case "SCMP_CMP_MASKED_EQ": .maskedEqual
        default: throw SandboxRequest.bad("operator \(name ?? "without a name") is not supported")
        }
    }
}

extension SeccompProfile.Condition {
    fileprivate init(_ value: JSON?) throws {
        // A capability nobody knows is one nobody has: it must not vanish from what a rule asks for.
        let names = value?["caps"]?.strings ?? []
        let capabilities = names.map { CapabilitySet(name: $0) ?? CapabilitySet(rawValue: 1 << 63) }
        var kernel: KernelVersion?
        if let text = value?["minKernel"]?.string {
            guard let version = KernelVersion(parsing: text) else {
                throw SandboxRequest.bad("minKernel \"\(text)\" is not a version")
            }
            kernel = version
        }
        self.init(
            capabilities: CapabilitySet(capabilities), architectures: value?["arches"]?.strings ?? [], kernel: kernel)
    }
}
