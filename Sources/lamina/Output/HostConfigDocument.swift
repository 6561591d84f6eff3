import Containers
import GoCompat
import Linux
import OCI
import Requests
import Sandbox
import SystemPackage

/// The member `HostConfig` of the document of a container: what the options of `run` and `create` have asked for.
///
/// A limit that was not asked for is zero or `null`, as in Docker's document.
struct HostConfigDocument {
    let record: ContainerRecord
    let networkMode: String

    private var request: RunRequest { record.request }

    /// The limits that the options mean; files and devices that they name are not looked for.
    private var sandbox: SandboxRequest {
        let options = request.sandboxOptions.filter { !["security-opt", "device"].contains($0.name) }
        return (try? SandboxRequest(options: options)) ?? SandboxRequest()
    }

    private func values(_ name: String) -> [String] {
        request.sandboxOptions.filter { $0.name == name }.map(\.value)
    }

    var json: JSON {
        let members: [(String, JSON)] =
            placeMembers + [
                ("CapAdd", capabilities("cap-add")), ("CapDrop", capabilities("cap-drop")),
                ("SecurityOpt", list(values("security-opt"))),
            ] + networkMembers + limitMembers + [("Isolation", .string(request.isolation?.rawValue ?? "auto"))]
        return .object(JSONObject(members))
    }

    private var placeMembers: [(String, JSON)] {
        let binds = request.volumes.volumes.map { volume in
            let suffix = volume.access == .readOnly ? ":ro" : ""
            return JSON.string("\(volume.name ?? volume.source.string):\(volume.target)\(suffix)")
        }
        return [
            ("Binds", .array(binds)), ("NetworkMode", .string(networkMode)),
            ("PortBindings", ContainerDocument.ports(request.ports)),
            ("RestartPolicy", .object(("Name", .string("no")), ("MaximumRetryCount", .integer(0)))),
            ("AutoRemove", .bool(record.removesItself)), ("Privileged", .bool(request.isPrivileged)),
            ("ReadonlyRootfs", .bool(request.isRootReadOnly)), ("Init", .bool(true)),
            ("Tmpfs", .object(JSONObject(request.volumes.temporary.map { ($0.target.string, JSON.string("")) }))),
        ]
    }

    private var networkMembers: [(String, JSON)] {
        let hosts = request.network.hosts.map { "\($0.name):\($0.address ?? "host-gateway")" }
        return [
            ("Dns", .array(request.network.nameServers.map(JSON.string))),
            ("DnsOptions", .array(request.network.resolverOptions.map(JSON.string))),
            ("DnsSearch", .array(request.network.searchDomains.map(JSON.string))), ("ExtraHosts", list(hosts)),
        ]
    }

    private var limitMembers: [(String, JSON)] {
        let sandbox = sandbox
        let limits = sandbox.groupLimits
        // Docker keeps the number of processors as it was given, and a quota only where it was asked for.
        let processors = values("cpus").last.flatMap(Double.init)
        let memory = Int64(clamping: limits.memory ?? 0)
        let swap = limits.memoryAndSwap ?? memory.addingClamped(memory)
        return [
            ("Memory", .integer(memory)), ("MemorySwap", .integer(swap)),
            ("NanoCpus", .integer(processors.flatMap { Int64(exactly: ($0 * 1e9).rounded()) } ?? 0)),
            ("CpuShares", .integer(Int64(clamping: limits.cpuShares ?? 0))),
            ("CpuPeriod", .integer(processors == nil ? Int64(clamping: limits.cpuPeriod ?? 0) : 0)),
            ("CpuQuota", .integer(processors == nil ? limits.cpuQuota ?? 0 : 0)),
            ("CpusetCpus", .string(limits.cpus ?? "")), ("CpusetMems", .string(limits.memoryNodes ?? "")),
            ("PidsLimit", limits.processes.map { .integer($0) } ?? .null),
            ("ShmSize", .integer(Int64(clamping: sandbox.sharedMemorySize ?? SandboxSpec.standardSharedMemorySize))),
            ("CgroupParent", .string(values("cgroup-parent").last ?? "")), ("Devices", .array(devices)),
            ("Ulimits", .array(ulimits)),
        ]
    }

    private var devices: [JSON] {
        values("device").map { text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            return .object(
                ("PathOnHost", .string(parts[0])), ("PathInContainer", .string(parts.count > 1 ? parts[1] : parts[0])),
                ("CgroupPermissions", .string(parts.count > 2 ? parts[2] : "rwm")))
        }
    }

    private var ulimits: [JSON] {
        let names = Dictionary(ResourceLimit.numbers.map { ($0.value, $0.key) }) { first, _ in first }
        return sandbox.limits.map { limit in
            .object(
                ("Name", .string(names[limit.resource] ?? "")), ("Hard", Self.limit(limit.hard)),
                ("Soft", Self.limit(limit.soft)))
        }
    }

    private static func limit(_ value: UInt64) -> JSON { .integer(value == .max ? -1 : Int64(clamping: value)) }

    private func capabilities(_ option: String) -> JSON {
        list(
            values(option).map { name in
                let upper = name.uppercased()
                return upper == "ALL" || upper.hasPrefix("CAP_") ? upper : "CAP_\(upper)"
            })
    }

    private func list(_ texts: [String]) -> JSON { texts.isEmpty ? .null : .array(texts.map(JSON.string)) }
}
