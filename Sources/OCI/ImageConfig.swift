import Diagnostics

/// An image's configuration document: how to run it, how it was made and which layers it has.
///
/// Keys that this program does not know are kept. Keys are written in BuildKit's order: the top level sorted, the
/// nested objects as Go declares them. Source: OCI image-spec, config.md, and Docker's image specification 1.2.
package struct ImageConfig: Hashable, Sendable {
    package var platform: Platform
    package var created: Timestamp?
    package var author: String?
    package var config: RunConfig
    package var history: [History]
    /// Bottom first.
    package var diffIDs: [DiffID]
    private var document: JSONObject

    /// The config of an image without layers.
    package init(platform: Platform) {
        self.platform = platform
        config = RunConfig()
        history = []
        diffIDs = []
        document = JSONObject()
    }

    package init(parsing bytes: [UInt8]) throws {
        let json = try JSON(parsing: bytes)
        guard let document = json.object, let platform = Platform(json: json) else {
            throw ManifestError(.malformed, "the image config has no architecture or os")
        }
        self.platform = platform
        self.document = document
        created = json["created"]?.string.flatMap(Timestamp.init(parsing:))
        author = json["author"]?.string
        config = RunConfig(json: json["config"]?.object ?? JSONObject())
        history = (json["history"]?.array ?? []).compactMap(\.object).map(History.init(json:))
        diffIDs = try (json["rootfs"]?["diff_ids"]?.strings ?? []).map { try DiffID(parsing: $0) }
    }

    /// The document as JSON, all keys included.
    package var json: JSON {
        var result = document
        result["architecture"] = .string(platform.architecture)
        result["variant"] = platform.variant.isEmpty ? nil : .string(platform.variant)
        result["os"] = .string(platform.os)
        result["author"] = author.flatMap { $0.isEmpty ? nil : .string($0) }
        result["config"] = .object(config.json)
        result["created"] = created.map { .string($0.description) }
        result["history"] = history.isEmpty ? nil : .array(history.map { .object($0.json) })
        result["rootfs"] = .object(
            ("type", .string("layers")), ("diff_ids", .array(diffIDs.map { .string($0.description) })))
        return .object(result.sorted())
    }

    /// The bytes that are the image: their digest is the image ID.
    package var encoded: [UInt8] { json.encoded() }

    /// The same image with nothing that only its maker knew: what a build starts from.
    package func asBase() -> ImageConfig {
        var base = self
        base.created = nil
        // The inline cache describes the base's own layers and history, and means nothing in a child.
        base.document["moby.buildkit.cache.v0"] = nil
        base.document["container"] = nil
        base.document["container_config"] = nil
        base.document["id"] = nil
        base.document["parent"] = nil
        return base
    }
}

/// The `config` object: how a container of the image starts.
package struct RunConfig: Hashable, Sendable {
    package var user = ""
    package var exposedPorts: [String] = []
    /// `NAME=value`, in order.
    package var environment: [String] = []
    package var entrypoint: [String]?
    package var command: [String]?
    package var volumes: [String] = []
    package var workingDirectory = ""
    package var labels: [String: String] = [:]
    package var stopSignal = ""
    package var argumentsEscaped = false
    package var healthcheck: Healthcheck?
    package var onBuild: [String] = []
    package var shell: [String]?
    private var document = JSONObject()

    package init() {}

    init(json: JSONObject) {
        document = json
        user = json["User"]?.string ?? ""
        exposedPorts = json["ExposedPorts"]?.object?.keys ?? []
        environment = json["Env"]?.strings ?? []
        entrypoint = json["Entrypoint"]?.strings
        command = json["Cmd"]?.strings
        volumes = json["Volumes"]?.object?.keys ?? []
        workingDirectory = json["WorkingDir"]?.string ?? ""
        labels = Dictionary(json["Labels"]?.stringMap ?? [], uniquingKeysWith: { $1 })
        stopSignal = json["StopSignal"]?.string ?? ""
        argumentsEscaped = json["ArgsEscaped"]?.bool ?? false
        healthcheck = json["Healthcheck"]?.object.map(Healthcheck.init(json:))
        onBuild = json["OnBuild"]?.strings ?? []
        shell = json["Shell"]?.strings
    }

    private static let order = [
        "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal",
        "ArgsEscaped", "Healthcheck", "OnBuild", "Shell",
    ]

    /// The object with its known keys in BuildKit's order, then those of the base that are unknown here.
    package var json: JSONObject {
        let known: [String: JSON?] = [
            "User": user.isEmpty ? nil : .string(user),
            "ExposedPorts": Self.set(exposedPorts),
            "Env": Self.list(environment),
            "Entrypoint": Self.list(entrypoint ?? []),
            "Cmd": Self.list(command ?? []),
            "Volumes": Self.set(volumes),
            "WorkingDir": workingDirectory.isEmpty ? nil : .string(workingDirectory),
            "Labels": JSON.sortedMap(labels),
            "StopSignal": stopSignal.isEmpty ? nil : .string(stopSignal),
            "ArgsEscaped": argumentsEscaped ? .bool(true) : nil,
            "Healthcheck": (healthcheck?.json).map(JSON.object),
            "OnBuild": Self.list(onBuild),
            "Shell": Self.list(shell ?? []),
        ]
        var result = JSONObject()
        for key in Self.order { result[key] = known[key] ?? nil }
        for (key, value) in document.members where !Self.order.contains(key) && !Self.isLeftOver(key, value) {
            result[key] = value
        }
        return result
    }

    /// Classic Docker writes the fields of a container here, all empty: they say nothing.
    private static func isLeftOver(_ key: String, _ value: JSON) -> Bool {
        let containerKeys = [
            "Hostname", "Domainname", "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce",
            "Image",
        ]
        return containerKeys.contains(key)
    }

    private static func list(_ items: [String]) -> JSON? {
        items.isEmpty ? nil : .array(items.map(JSON.string))
    }

    private static func set(_ items: [String]) -> JSON? {
        guard !items.isEmpty else { return nil }
        return .object(JSONObject(Set(items).map { ($0, .object(JSONObject())) }).sorted())
    }
}

/// How to find out whether a container of the image is well. Durations are in nanoseconds; 0 means "inherit".
package struct Healthcheck: Hashable, Sendable {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`.
    package var test: [String]
    package var interval: Int64
    package var timeout: Int64
    package var startPeriod: Int64
    package var startInterval: Int64
    package var retries: Int64

    package init(
        test: [String], interval: Int64 = 0, timeout: Int64 = 0, startPeriod: Int64 = 0, startInterval: Int64 = 0,
        retries: Int64 = 0
    ) {
        self.test = test
        self.interval = interval
        self.timeout = timeout
        self.startPeriod = startPeriod
        self.startInterval = startInterval
        self.retries = retries
    }

    init(json: JSONObject) {
        self.init(
            test: json["Test"]?.strings ?? [], interval: json["Interval"]?.integer ?? 0,
            timeout: json["Timeout"]?.integer ?? 0, startPeriod: json["StartPeriod"]?.integer ?? 0,
            startInterval: json["StartInterval"]?.integer ?? 0, retries: json["Retries"]?.integer ?? 0)
    }

    var json: JSONObject {
        var result = JSONObject()
        if !test.isEmpty { result["Test"] = .array(test.map(JSON.string)) }
        let durations = [
            ("Interval", interval), ("Timeout", timeout), ("StartPeriod", startPeriod),
            ("StartInterval", startInterval), ("Retries", retries),
        ]
        for (key, value) in durations where value != 0 { result[key] = .integer(value) }
        return result
    }
}

/// One step of an image's making.
package struct History: Hashable, Sendable {
    package var created: Timestamp?
    package var createdBy: String
    package var author: String
    package var comment: String
    /// Whether the step made no layer.
    package var emptyLayer: Bool

    package init(
        created: Timestamp? = nil, createdBy: String, author: String = "", comment: String = "", emptyLayer: Bool
    ) {
        self.created = created
        self.createdBy = createdBy
        self.author = author
        self.comment = comment
        self.emptyLayer = emptyLayer
    }

    init(json: JSONObject) {
        self.init(
            created: json["created"]?.string.flatMap(Timestamp.init(parsing:)),
            createdBy: json["created_by"]?.string ?? "", author: json["author"]?.string ?? "",
            comment: json["comment"]?.string ?? "", emptyLayer: json["empty_layer"]?.bool ?? false)
    }

    var json: JSONObject {
        var result = JSONObject()
        if let created { result["created"] = .string(created.description) }
        if !createdBy.isEmpty { result["created_by"] = .string(createdBy) }
        if !author.isEmpty { result["author"] = .string(author) }
        if !comment.isEmpty { result["comment"] = .string(comment) }
        if emptyLayer { result["empty_layer"] = .bool(true) }
        return result
    }
}
