import OCI

/// Another command in a container that runs.
package struct ExecRequest: Hashable, Sendable {
    package var arguments: [String]
    /// `NAME=value`, over the variables of the container.
    package var environment: [String] = []
    /// `user[:group]`, in place of the container's.
    package var user: String?
    /// Absolute, in place of the container's.
    package var workingDirectory: String?
    package var isInteractive = false
    package var hasTerminal = false
    /// Whether nobody waits for its end or its output.
    package var isDetached = false
    package var isPrivileged = false

    package init(arguments: [String]) { self.arguments = arguments }

    var json: JSON {
        .object(
            ("arguments", .array(arguments.map(JSON.string))), ("environment", .array(environment.map(JSON.string))),
            ("user", user.map(JSON.string)), ("workingDirectory", workingDirectory.map(JSON.string)),
            ("isInteractive", .bool(isInteractive)), ("hasTerminal", .bool(hasTerminal)),
            ("isDetached", .bool(isDetached)), ("isPrivileged", .bool(isPrivileged)))
    }

    /// `nil` for what ``json`` does not give.
    init?(json: JSON) {
        guard let arguments = json["arguments"]?.strings, let environment = json["environment"]?.strings else {
            return nil
        }
        self.init(arguments: arguments)
        self.environment = environment
        user = json["user"]?.string
        workingDirectory = json["workingDirectory"]?.string
        isInteractive = json["isInteractive"]?.bool ?? false
        hasTerminal = json["hasTerminal"]?.bool ?? false
        isDetached = json["isDetached"]?.bool ?? false
        isPrivileged = json["isPrivileged"]?.bool ?? false
    }
}
