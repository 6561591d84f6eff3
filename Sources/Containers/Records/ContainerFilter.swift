import Diagnostics
import Graph
package import OCI
import Requests
import Store
import SystemPackage

/// The conditions of `ps --filter`. Of several with one key one must hold, but all labels.
package struct ContainerFilter: Sendable {
    private var conditions: [String: [@Sendable (Container) -> Bool]] = [:]

    /// Parses `KEY=VALUE`; `all` are the containers that `before` and `since` may name, `image` finds the ID of one.
    ///
    /// Throws ``ContainersError`` `.badFilter`, and `.notFound` for a container that a filter names.
    package init(_ texts: [String], among store: ContainerStore, image: (String) throws -> Digest?) throws {
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw ContainersError(.badFilter, "invalid filter '\(text)'", hint: "Write it as KEY=VALUE.")
            }
            let key = parts[0].hasPrefix("label") ? "\(parts[0]) \(parts[1])" : parts[0]
            conditions[key, default: []].append(try Self.condition(parts[0], parts[1], store, image))
        }
    }

    private static func condition(
        _ key: String, _ value: String, _ store: ContainerStore, _ image: (String) throws -> Digest?
    ) throws -> @Sendable (Container) -> Bool {
        switch key {
        case "id": return { $0.id.hasPrefix(value) }
        case "name":
            let word = value.hasPrefix("^") ? value.dropFirst() : value[...]
            let name = String(word.hasPrefix("/") ? word.dropFirst() : word)
            guard value.hasPrefix("^") else { return { $0.record.name.contains(name) } }
            guard name.hasSuffix("$") else { return { $0.record.name.hasPrefix(name) } }
            return { $0.record.name == name.dropLast() }
        case "status":
            let known = ["created", "running", "exited", "dead", "paused", "restarting", "removing"]
            guard known.contains(value) else {
                throw ContainersError(
                    .badFilter, "invalid filter 'status=\(value)'", hint: "Use created, running or exited.")
            }
            return { $0.state.status.rawValue == value }
        case "exited":
            guard let code = Int32(value) else {
                throw ContainersError(.badFilter, "invalid filter 'exited=\(value)': it takes a number")
            }
            return { $0.state.status == .exited && $0.state.exitCode == code }
        case "label", "label!":
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return { container in
                let found = container.record.labels[parts[0]]
                return (found != nil && (parts.count == 1 || found == parts[1])) == (key == "label")
            }
        case "until":
            guard let age = Quantities.seconds(value) else {
                throw ContainersError(
                    .badFilter, "invalid filter 'until=\(value)'", hint: "Write an age such as 24h.")
            }
            let (latest, _) = Timestamp.now.seconds.subtractingReportingOverflow(age)
            return { $0.record.created.seconds <= latest }
        case "ancestor":
            let id = try image(value)
            return { $0.record.image == id || $0.record.request.image == value }
        case "volume":
            return { container in
                container.record.request.volumes.volumes.contains {
                    $0.name == value || $0.source.string == value || $0.target.string == value
                }
            }
        case "network":
            return { container in
                let request = container.record.request
                return (request.ports.isEmpty ? request.network.mode.rawValue : "private") == value
            }
        case "health":
            guard ["starting", "healthy", "unhealthy", "none"].contains(value) else {
                throw ContainersError(
                    .badFilter, "invalid filter 'health=\(value)'", hint: "Use none: no health checks are run.")
            }
            return { _ in value == "none" }
        case "before":
            let other = try store.find(value).record.created.fileTime
            return { $0.record.created.fileTime < other }
        case "since":
            let other = try store.find(value).record.created.fileTime
            return { other < $0.record.created.fileTime }
        default:
            throw ContainersError(
                .badFilter, "invalid filter '\(key)'",
                hint: "Use id, name, label, status, exited, ancestor, volume, network, health, until, before or since.")
        }
    }

    /// Whether a state is asked for, so that containers are listed that do not run.
    package var namesStates: Bool { conditions["status"] != nil || conditions["exited"] != nil }

    package func passes(_ container: Container) -> Bool {
        conditions.values.allSatisfy { alternatives in alternatives.contains { $0(container) } }
    }
}
