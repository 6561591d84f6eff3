import Diagnostics
package import OCI
package import Requests

/// The settings that a container was made from. But for the name they never change.
package struct ContainerRecord: Sendable {
    /// 64 hexadecimal digits.
    package let id: String
    package var name: String
    package let created: Timestamp
    /// The image as it was when the container was made.
    package let image: Digest
    package let platform: Platform
    package let request: RunRequest
    /// The program and its arguments.
    package let command: [String]
    package let labels: [String: String]
    /// Whether it is removed when its command ends.
    package let removesItself: Bool
    /// The number of the signal that asks it to end, and how many seconds it gets then.
    package let stopSignal: Int32
    package let stopTimeout: Int

    package init(
        id: String = ContainerNames.newID(), name: String, created: Timestamp, image: Digest, platform: Platform,
        request: RunRequest, command: [String], labels: [String: String], removesItself: Bool, stopSignal: Int32,
        stopTimeout: Int
    ) {
        self.id = id
        self.name = name
        self.created = created
        self.image = image
        self.platform = platform
        self.request = request
        self.command = command
        self.labels = labels
        self.removesItself = removesItself
        self.stopSignal = stopSignal
        self.stopTimeout = stopTimeout
    }

    private static let version: Int64 = 1

    var json: JSON {
        .object(
            ("version", .integer(Self.version)), ("id", .string(id)), ("name", .string(name)),
            ("created", .string(created.description)), ("image", .string(image.description)),
            ("platform", .string(platform.description)), ("request", request.json),
            ("command", .array(command.map(JSON.string))),
            ("labels", JSON.sortedMap(labels) ?? .object(JSONObject())), ("removesItself", .bool(removesItself)),
            ("stopSignal", .integer(stopSignal)), ("stopTimeout", .integer(stopTimeout)))
    }

    /// The request with all that its options mean now. Throws `RequestsError` for one that means nothing any more.
    func currentRequest() throws -> RunRequest {
        var request = request
        request.sandbox = try SandboxRequest(options: request.sandboxOptions)
        return request
    }

    /// Throws ``ContainersError`` `.corrupt`.
    init(json: JSON) throws {
        guard json["version"]?.integer == Self.version, let id = json["id"]?.string, let name = json["name"]?.string,
            let created = json["created"]?.string.flatMap(Timestamp.init(parsing:)),
            let image = json["image"]?.string, let platform = json["platform"]?.string,
            let request = json["request"].flatMap(RunRequest.init(json:)),
            let command = json["command"]?.strings, let signal = json["stopSignal"]?.integer,
            let timeout = json["stopTimeout"]?.integer
        else {
            throw ContainersError(
                .corrupt, "the record of a container cannot be read", hint: "Remove the container with 'lamina rm -f'.")
        }
        self.init(
            id: id, name: name, created: created, image: try Digest(parsing: image),
            platform: try Platform(parsing: platform), request: request, command: command,
            labels: Dictionary(json["labels"]?.stringMap ?? [], uniquingKeysWith: { $1 }),
            removesItself: json["removesItself"]?.bool ?? false, stopSignal: Int32(clamping: signal),
            stopTimeout: Int(clamping: timeout))
    }
}
