package import OCI

/// The types of fields that Docker's documents have, as far as templates show them.
///
/// Docker renders templates over typed values: a field without a value is there, and has the zero of its type.
package enum DockerTypes {
    static let maps: Set<String> = [
        "Annotations", "Data", "DriverOpts", "ExposedPorts", "Labels", "Networks", "Options", "PortBindings", "Ports",
        "Sysctls", "Tmpfs", "Volumes",
    ]
    static let lists: Set<String> = [
        "Aliases", "Args", "Binds", "BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps",
        "BlkioDeviceWriteIOps", "BlkioWeightDevice", "CapAdd", "CapDrop", "Cmd", "DeviceCgroupRules", "DeviceRequests",
        "Devices", "Dns", "DnsOptions", "DnsSearch", "Entrypoint", "Env", "ExecIDs", "ExtraHosts", "GroupAdd", "Links",
        "MaskedPaths", "Mounts", "OnBuild", "ReadonlyPaths", "RepoDigests", "RepoTags", "SecondaryIPAddresses",
        "SecondaryIPv6Addresses", "SecurityOpt", "Shell", "Ulimits", "VolumesFrom",
    ]
    static let pointers: Set<String> = [
        "Health", "Healthcheck", "IPAMConfig", "MemorySwappiness", "OomKillDisable", "PidsLimit",
    ]

    /// The fields of the structures in a list or a map, in the order in which Go prints them.
    static let structures: [String: [String]] = [
        "Devices": ["PathOnHost", "PathInContainer", "CgroupPermissions"],
        "Mounts": ["Type", "Name", "Source", "Destination", "Driver", "Mode", "RW", "Propagation"],
        "PortBindings": ["HostIp", "HostPort"], "Ports": ["HostIp", "HostPort"],
    ]

    /// The fields of an image that it may not have.
    package static let image = JSON.object(
        ("Parent", .string("")), ("Container", .string("")), ("ContainerConfig", config),
        ("DockerVersion", .string("")),
        ("Variant", .string("")), ("Metadata", .object(("LastTagTime", .string("0001-01-01T00:00:00Z")))),
        ("Config", config))

    /// The fields of a container that it may not have.
    package static let container = JSON.object(
        ("ResolvConfPath", .string("")), ("HostnamePath", .string("")), ("HostsPath", .string("")),
        ("MountLabel", .string("")), ("ProcessLabel", .string("")), ("AppArmorProfile", .string("")),
        ("State", .object(("Health", .null))), ("HostConfig", hostConfig), ("ExecIDs", .null),
        ("Mounts", .array([.object(("Name", .string("")), ("Driver", .string("")))])), ("Config", config),
        ("NetworkSettings", network))

    private static let hostConfig = JSON.object(
        ("ContainerIDFile", .string("")),
        ("LogConfig", .object(("Type", .string("local")), ("Config", .object(JSONObject())))),
        ("VolumeDriver", .string("")), ("VolumesFrom", .null), ("CgroupnsMode", .string("private")),
        ("GroupAdd", .null), ("IpcMode", .string("private")), ("Cgroup", .string("")), ("Links", .null),
        ("OomScoreAdj", .integer(0)), ("PidMode", .string("")), ("PublishAllPorts", .bool(false)),
        ("UTSMode", .string("")), ("UsernsMode", .string("")), ("Runtime", .string("")), ("Sysctls", .null),
        ("ConsoleSize", .array([.integer(0), .integer(0)])), ("BlkioWeight", .integer(0)), ("BlkioWeightDevice", .null),
        ("BlkioDeviceReadBps", .null), ("BlkioDeviceWriteBps", .null), ("BlkioDeviceReadIOps", .null),
        ("BlkioDeviceWriteIOps", .null), ("CpuRealtimePeriod", .integer(0)), ("CpuRealtimeRuntime", .integer(0)),
        ("DeviceCgroupRules", .null), ("DeviceRequests", .null), ("KernelMemory", .integer(0)),
        ("KernelMemoryTCP", .integer(0)), ("MemoryReservation", .integer(0)), ("MemorySwappiness", .null),
        ("OomKillDisable", .bool(false)), ("CpuCount", .integer(0)), ("CpuPercent", .integer(0)),
        ("IOMaximumIOps", .integer(0)), ("IOMaximumBandwidth", .integer(0)), ("MaskedPaths", .null),
        ("ReadonlyPaths", .null))

    private static let network = JSON.object(
        ("Bridge", .string("")), ("SandboxID", .string("")), ("HairpinMode", .bool(false)),
        ("LinkLocalIPv6Address", .string("")), ("LinkLocalIPv6PrefixLen", .integer(0)), ("SandboxKey", .string("")),
        ("SecondaryIPAddresses", .null), ("SecondaryIPv6Addresses", .null), ("EndpointID", .string("")),
        ("Gateway", .string("")), ("GlobalIPv6Address", .string("")), ("GlobalIPv6PrefixLen", .integer(0)),
        ("IPPrefixLen", .integer(0)), ("IPv6Gateway", .string("")), ("MacAddress", .string("")))

    private static let config = JSON.object(
        ("Hostname", .string("")), ("Domainname", .string("")), ("User", .string("")),
        ("AttachStdin", .bool(false)), ("AttachStdout", .bool(false)), ("AttachStderr", .bool(false)),
        ("Tty", .bool(false)), ("OpenStdin", .bool(false)), ("StdinOnce", .bool(false)), ("ExposedPorts", .null),
        ("Env", .null), ("Cmd", .null), ("Healthcheck", .null), ("Image", .string("")), ("Volumes", .null),
        ("WorkingDir", .string("")), ("Entrypoint", .null), ("OnBuild", .null), ("Labels", .null),
        ("StopSignal", .string("")), ("Shell", .null))
}

extension JSON {
    /// The object with the members of another one that it lacks, at every depth. The one item of a list stands for each.
    package func completed(with defaults: JSON) -> JSON {
        if case .array(let items) = self, case .array(let others) = defaults, others.count == 1 {
            return .array(items.map { $0.completed(with: others[0]) })
        }
        guard case .object(var object) = self, case .object(let others) = defaults else { return self }
        for (key, value) in others.members { object[key] = object[key]?.completed(with: value) ?? value }
        return .object(object)
    }
}
