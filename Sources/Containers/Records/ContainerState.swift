import Linux
package import OCI
package import Requests

/// The state of a container: made, running or ended.
package struct ContainerState: Hashable, Sendable {
    package enum Status: String, Hashable, Sendable {
        /// It was never started, or could not be.
        case created
        case running
        case exited
    }

    package var status = Status.created
    /// The first process of the command, as the supervisor counts.
    package var process: Int32?
    package var started: Timestamp?
    package var finished: Timestamp?
    package var exitCode: Int32 = 0
    /// Why it could not be started or was not seen to its end; else empty.
    package var error = ""
    package var isOutOfMemory = false
    /// The ports as they are, none of them still to be chosen.
    package var ports: [PortMapping] = []

    package init() {}

    var json: JSON {
        .object(
            ("status", .string(status.rawValue)), ("process", process.map(JSON.integer)),
            ("started", started.map { .string($0.description) }),
            ("finished", finished.map { .string($0.description) }), ("exitCode", .integer(exitCode)),
            ("error", .string(error)), ("isOutOfMemory", .bool(isOutOfMemory)),
            ("ports", .array(ports.map { .string($0.word) })))
    }

    /// `nil` for what ``json`` does not give.
    init?(json: JSON) {
        guard let status = json["status"]?.string.flatMap(Status.init(rawValue:)),
            let code = json["exitCode"]?.integer
        else { return nil }
        self.status = status
        process = json["process"]?.integer.map { Int32(clamping: $0) }
        started = json["started"]?.string.flatMap(Timestamp.init(parsing:))
        finished = json["finished"]?.string.flatMap(Timestamp.init(parsing:))
        exitCode = Int32(clamping: code)
        error = json["error"]?.string ?? ""
        isOutOfMemory = json["isOutOfMemory"]?.bool ?? false
        ports = (json["ports"]?.strings ?? []).compactMap { try? PortMapping.parse($0).first }
    }

    /// The state of a container that was running when its supervisor was killed: the kernel ends the command with it.
    func abandoned() -> ContainerState {
        var state = self
        state.status = .exited
        state.exitCode = 137
        state.process = nil
        state.error = "its supervisor was killed"
        return state
    }
}
