import Graph
import Linux
package import OCI
import SystemPackage

extension RunRequest {
    /// The request as a container keeps it: all but the image's platform, and when and how to pull it.
    package var json: JSON {
        .object(
            ("image", .string(image)), ("arguments", .array(arguments.map(JSON.string))),
            ("entrypoint", entrypoint.map { .array($0.map(JSON.string)) }),
            ("environment", .array(environment.map { .string("\($0.name)=\($0.value)") })),
            ("user", user.map(JSON.string)), ("workingDirectory", workingDirectory.map(JSON.string)),
            ("hostname", hostname.map(JSON.string)), ("isRootReadOnly", .bool(isRootReadOnly)),
            ("isolation", isolation.map { .string($0.rawValue) }), ("isPrivileged", .bool(isPrivileged)),
            ("sandbox", .array(sandboxOptions.map { .array([.string($0.name), .string($0.value)]) })),
            ("network", network.json), ("volumes", volumes.json), ("ports", .array(ports.map { .string($0.word) })),
            ("isInteractive", .bool(isInteractive)), ("hasTerminal", .bool(hasTerminal)))
    }

    /// Reads what ``json`` gives; `nil` for anything else. ``sandbox`` is not made of its options yet: one of them may mean
    /// nothing any more, such as a seccomp profile in a file that is gone.
    package init?(json: JSON) {
        guard let image = json["image"]?.string, let arguments = json["arguments"]?.strings,
            let environment = json["environment"]?.strings, let network = json["network"].flatMap(NetworkSettings.init),
            let volumes = json["volumes"].flatMap(VolumeSettings.init(json:))
        else { return nil }
        self.init(image: image)
        self.arguments = arguments
        entrypoint = json["entrypoint"]?.strings
        self.environment = environment.map { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
        user = json["user"]?.string
        workingDirectory = json["workingDirectory"]?.string
        hostname = json["hostname"]?.string
        isRootReadOnly = json["isRootReadOnly"]?.bool ?? false
        isolation = json["isolation"]?.string.flatMap(Isolation.init(rawValue:))
        isPrivileged = json["isPrivileged"]?.bool ?? false
        sandboxOptions = (json["sandbox"]?.array ?? []).compactMap(\.strings).filter { $0.count == 2 }.map {
            SandboxRequest.Option($0[0], $0[1])
        }
        self.network = network
        self.volumes = volumes
        ports = (json["ports"]?.strings ?? []).flatMap { (try? PortMapping.parse($0)) ?? [] }
        isInteractive = json["isInteractive"]?.bool ?? false
        hasTerminal = json["hasTerminal"]?.bool ?? false
    }
}

extension NetworkSettings {
    var json: JSON {
        .object(
            ("mode", .string(mode.rawValue)),
            (
                "hosts",
                .array(hosts.map { .object(("name", .string($0.name)), ("address", $0.address.map(JSON.string))) })
            ), ("nameServers", .array(nameServers.map(JSON.string))),
            ("searchDomains", .array(searchDomains.map(JSON.string))),
            ("resolverOptions", .array(resolverOptions.map(JSON.string))))
    }

    init?(json: JSON) {
        let hosts = (json["hosts"]?.array ?? []).compactMap { host in
            host["name"]?.string.map { "\($0)=\(host["address"]?.string ?? "host-gateway")" }
        }
        let settings = try? NetworkSettings(
            mode: json["mode"]?.string, hosts: hosts, nameServers: json["nameServers"]?.strings ?? [],
            searchDomains: json["searchDomains"]?.strings ?? [],
            resolverOptions: json["resolverOptions"]?.strings ?? [])
        guard let settings else { return nil }
        self = settings
    }
}

extension VolumeSettings {
    var json: JSON {
        .object(
            (
                "volumes",
                .array(
                    volumes.map { volume in
                        .object(
                            ("name", volume.name.map(JSON.string)),
                            ("isAnonymous", volume.isAnonymous ? .bool(true) : nil),
                            ("source", .string(volume.source.string)),
                            ("target", .string(volume.target.string)), ("access", .string(volume.access.rawValue)))
                    })
            ),
            (
                "temporary",
                .array(
                    temporary.map { mount in
                        .object(
                            ("target", .string(mount.target.string)), ("size", mount.size.map(JSON.integer)),
                            ("isReadOnly", .bool(mount.isReadOnly)), ("flags", .integer(mount.flags.rawValue)))
                    })
            ))
    }

    init?(json: JSON) {
        guard let volumes = json["volumes"]?.array, let temporary = json["temporary"]?.array else { return nil }
        let known = volumes.compactMap(HostVolume.init(json:))
        let mounts = temporary.compactMap(TemporaryVolume.init(json:))
        guard known.count == volumes.count, mounts.count == temporary.count else { return nil }
        self.init(volumes: known, temporary: mounts)
    }
}
