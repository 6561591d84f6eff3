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
            ("Platform", .string(record.platform.os)), ("HostConfig", hostJSON), ("Mounts", mountsJSON),
            ("Config", configJSON(config)),
            (
                "NetworkSettings",
                .object(
                    ("Ports", portsJSON(container.isRunning ? state.ports : [])), ("IPAddress", .string("")),
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
        ("IPAddress", .string("")), ("IPPrefixLen", .integer(0)), ("Gateway", .string("")), ("MacAddress", .string("")))

    private var hostJSON: JSON {
        let binds = request.volumes.volumes.map { volume in
            let suffix = volume.access == .readOnly ? ":ro" : ""
            return JSON.string("\(volume.name ?? volume.source.string):\(volume.target)\(suffix)")
        }
        return .object(
            ("Binds", .array(binds)),
            ("NetworkMode", .string(networkMode)),
            ("PortBindings", portsJSON(request.ports)),
            ("RestartPolicy", .object(("Name", .string("no")), ("MaximumRetryCount", .integer(0)))),
            ("AutoRemove", .bool(record.removesItself)), ("Privileged", .bool(request.isPrivileged)),
            ("ReadonlyRootfs", .bool(request.isRootReadOnly)), ("Init", .bool(true)),
            (
                "Tmpfs",
                .object(JSONObject(request.volumes.temporary.map { ($0.target.string, JSON.string("")) }))
            ), ("Isolation", .string(request.isolation?.rawValue ?? "auto")))
    }

    private func portsJSON(_ ports: [PortMapping]) -> JSON {
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
                    ("RW", .bool(volume.access != .readOnly)))
            })
    }

    private func configJSON(_ config: RunConfig) -> JSON {
        var environment = config.environment
        for (name, value) in request.environment {
            environment.removeAll { $0.hasPrefix("\(name)=") }
            environment.append("\(name)=\(value)")
        }
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
            ("StopSignal", .string(config.stopSignal)), ("StopTimeout", .integer(record.stopTimeout)))
    }
}
