package import OCI

/// The types of fields that Docker's documents have, as far as templates show them.
///
/// Docker renders templates over typed values: a field without a value is there, and has the zero of its type.
package enum DockerTypes {
    static let maps: Set<String> = [
        "Annotations", "ExposedPorts", "Labels", "Networks", "Options", "PortBindings", "Ports", "Sysctls", "Tmpfs",
        "Volumes",
    ]
    static let lists: Set<String> = [
        "Args", "Binds", "CapAdd", "CapDrop", "Cmd", "Dns", "Entrypoint", "Env", "ExecIDs", "ExtraHosts", "GroupAdd",
        "Mounts", "OnBuild", "RepoDigests", "RepoTags", "SecurityOpt", "Shell",
    ]
    static let pointers: Set<String> = ["Health", "Healthcheck"]

    /// The fields of an image that it may not have.
    package static let image = JSON.object(
        ("Parent", .string("")), ("DockerVersion", .string("")), ("Variant", .string("")), ("Config", config))

    /// The fields of a container that it may not have.
    package static let container = JSON.object(
        ("State", .object(("Health", .null))),
        (
            "HostConfig",
            .object(("CapAdd", .null), ("CapDrop", .null), ("ContainerIDFile", .string("")), ("VolumesFrom", .null))
        ), ("ExecIDs", .null), ("Config", config))

    private static let config = JSON.object(
        ("Hostname", .string("")), ("Domainname", .string("")), ("User", .string("")),
        ("AttachStdin", .bool(false)), ("AttachStdout", .bool(false)), ("AttachStderr", .bool(false)),
        ("Tty", .bool(false)), ("OpenStdin", .bool(false)), ("StdinOnce", .bool(false)), ("ExposedPorts", .null),
        ("Env", .null), ("Cmd", .null), ("Healthcheck", .null), ("Image", .string("")), ("Volumes", .null),
        ("WorkingDir", .string("")), ("Entrypoint", .null), ("OnBuild", .null), ("Labels", .null),
        ("StopSignal", .string("")), ("Shell", .null))
}

extension JSON {
    /// The object with the members of another one that it lacks, at every depth.
    package func completed(with defaults: JSON) -> JSON {
        guard case .object(var object) = self, case .object(let others) = defaults else { return self }
        for (key, value) in others.members { object[key] = object[key]?.completed(with: value) ?? value }
        return .object(object)
    }
}
