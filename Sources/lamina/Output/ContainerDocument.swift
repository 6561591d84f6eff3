import Containers
import Graph
import OCI
import Requests
import SystemPackage

/// The document that `docker inspect` prints for a container, as far as its facts exist here.
struct ContainerDocument {
    let container: Container

    init(_ container: Container) { self.container = container }

    private var record: ContainerRecord { container.record }
    private var state: ContainerState { container.state }
    private var request: RunRequest { record.request }

    func json(showsSize: Bool) throws -> JSON {
        let config = try container.imageConfig().config
        return .object(
            ("Id", .string(container.id)), ("Created", .string(record.created.description)),
            ("Path", .string(record.command.first ?? "")),
            ("Args", .array(record.command.dropFirst().map(JSON.string))), ("State", stateJSON),
            ("Image", .string(record.image.description)), ("LogPath", .string(container.log.string)),
            ("Name", .string("/\(record.name)")), ("RestartCount", .integer(0)), ("Driver", .string("overlay")),
            ("Platform", .string(record.platform.os)), ("GraphDriver", driverJSON),
            ("HostConfig", HostConfigDocument(record: record, networkMode: networkMode).json), ("Mounts", mountsJSON),
            ("Config", configJSON(config)),
            (
                "NetworkSettings",
                .object(
                    ("Ports", Self.ports(container.isRunning ? state.ports : [])), ("IPAddress", .string("")),
                    ("Networks", .object(JSONObject([(networkMode, Self.networkJSON)]))))
            ), ("SizeRw", showsSize ? .integer(try container.writtenBytes()) : nil))
    }

    private var stateJSON: JSON {
        let never = "0001-01-01T00:00:00Z"
        return .object(
            ("Status", .string(state.status.rawValue)), ("Running", .bool(container.isRunning)),
            ("Paused", .bool(false)), ("Restarting", .bool(false)), ("OOMKilled", .bool(state.isOutOfMemory)),
            ("Dead", .bool(false)), ("Pid", .integer(container.isRunning ? state.process ?? 0 : 0)),
            ("ExitCode", .integer(state.exitCode)), ("Error", .string(state.error)),
            ("StartedAt", .string(state.started?.description ?? never)),
            ("FinishedAt", .string(container.isRunning ? never : state.finished?.description ?? never)))
    }

    private var networkMode: String { request.ports.isEmpty ? request.network.mode.rawValue : "private" }

    /// The addresses in a network: none, as with Docker's `host` and `none`.
    private static let networkJSON = JSON.object(
        ("IPAMConfig", .null), ("Links", .null), ("Aliases", .null), ("NetworkID", .string("")),
        ("EndpointID", .string("")), ("Gateway", .string("")), ("IPAddress", .string("")), ("IPPrefixLen", .integer(0)),
        ("IPv6Gateway", .string("")), ("GlobalIPv6Address", .string("")), ("GlobalIPv6PrefixLen", .integer(0)),
        ("MacAddress", .string("")), ("DriverOpts", .null))

    /// The directories of an overlay. Where the layers of the image are and where all of it is mounted is known only
    /// while the container runs, and only to its command.
    private var driverJSON: JSON {
        .object(
            ("Name", .string("overlay")),
            (
                "Data",
                .object(
                    ("UpperDir", .string(container.directory.appending("fs").string)),
                    ("WorkDir", .string(container.directory.appending("work").string)))
            ))
    }

    /// Ports by what they are inside.
    static func ports(_ ports: [PortMapping]) -> JSON {
        var members = JSONObject()
        for port in ports {
            let binding = JSON.object(
                ("HostIp", .string(port.address ?? "0.0.0.0")),
                ("HostPort", .string(port.host.map(String.init) ?? "")))
            let key = "\(port.inside)/\(port.transport.rawValue)"
            members[key] = .array((members[key]?.array ?? []) + [binding])
        }
        return .object(members)
    }

    private var mountsJSON: JSON {
        .array(
            request.volumes.volumes.map { volume in
                .object(
                    ("Type", .string(volume.name == nil ? "bind" : "volume")), ("Name", volume.name.map(JSON.string)),
                    ("Source", .string(volume.source.string)), ("Destination", .string(volume.target.string)),
                    ("Mode", .string(volume.access == .readOnly ? "ro" : "")),
                    ("RW", .bool(volume.access != .readOnly)), ("Propagation", .string("")))
            })
    }

    private func configJSON(_ config: RunConfig) -> JSON {
        // Those of the command line come first, as with Docker.
        let given = request.environment
        let inherited = config.environment.filter { entry in !given.contains { entry.hasPrefix("\($0.name)=") } }
        let environment = given.map { "\($0.name)=\($0.value)" } + inherited
        let command = request.arguments.isEmpty && request.entrypoint == nil ? config.command : request.arguments
        let entrypoint = request.entrypoint ?? config.entrypoint
        return .object(
            ("Hostname", .string(request.hostname ?? container.shortID)),
            ("User", .string(request.user ?? config.user)),
            ("Tty", .bool(request.hasTerminal)), ("OpenStdin", .bool(request.isInteractive)),
            ("Env", .array(environment.map(JSON.string))),
            ("Cmd", command.map { .array($0.map(JSON.string)) } ?? .null), ("Image", .string(request.image)),
            ("WorkingDir", .string(request.workingDirectory ?? config.workingDirectory)),
            ("Entrypoint", entrypoint.map { .array($0.map(JSON.string)) } ?? .null),
            ("Labels", JSON.sortedMap(record.labels) ?? .object(JSONObject())),
            ("StopSignal", .string(stopSignal(config))), ("StopTimeout", .integer(record.stopTimeout)))
    }

    /// The signal of the image as it stands there, or the name of another one that was asked for.
    private func stopSignal(_ config: RunConfig) -> String {
        let usual = config.stopSignal.isEmpty ? "TERM" : config.stopSignal
        return (try? SignalNumber.parse(usual)) == record.stopSignal
            ? config.stopSignal : SignalNumber.name(of: record.stopSignal)
    }
}
