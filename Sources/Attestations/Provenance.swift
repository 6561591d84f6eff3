package import OCI

/// The provenance of a build: its materials and its request, as SLSA has them.
package struct Provenance: Hashable, Sendable {
    /// A thing that the build has used, by its address and the digests of what was found there.
    package struct Material: Hashable, Sendable {
        package let uri: String
        /// The algorithm and the digest in hexadecimal, e.g. `sha1` of a commit.
        package let algorithm: String
        package let hex: String

        package init(uri: String, algorithm: String, hex: String) {
            self.uri = uri
            self.algorithm = algorithm
            self.hex = hex
        }
    }

    /// The origin of the context; without an address for files of this machine.
    package struct Source: Hashable, Sendable {
        package var material: Material?
        /// The Dockerfile's path in it.
        package var path: String

        package init(material: Material? = nil, path: String) {
            self.material = material
            self.path = path
        }
    }

    /// One step, in the order of the graph.
    package struct Step: Hashable, Sendable {
        /// The lines of the Dockerfile.
        package let lines: ClosedRange<Int>?
        /// How many of the image's layers, from the bottom, are its result; 0 for a step whose result is not in the image.
        package let layerCount: Int

        package init(lines: ClosedRange<Int>?, layerCount: Int) {
            self.lines = lines
            self.layerCount = layerCount
        }
    }

    /// The Dockerfile, in Base64.
    package struct File: Hashable, Sendable {
        package let name: String
        package let base64: String

        package init(name: String, base64: String) {
            self.name = name
            self.base64 = base64
        }
    }

    package var settings = ProvenanceSettings()
    package var source: Source
    /// The options of the frontend, such as `build-arg:NAME` and `target`.
    package var arguments: [String: String] = [:]
    /// The secrets that commands may see, by their IDs, and whether they can do without.
    package var secrets: [String: Bool] = [:]
    package var agents: [String: Bool] = [:]
    /// The names of local sources.
    package var locals: [String] = []
    package var materials: [Material] = []
    package var platform: Platform
    package var steps: [Step] = []
    /// The layers of the image, as its manifest names them.
    package var layers: [Descriptor] = []
    package var file: File
    /// The address and the commit of the checkout that a local context is in.
    package var checkout: [String: String] = [:]
    package var invocationID: String
    package var started: Timestamp
    package var finished: Timestamp
    /// Whether no command could reach a network.
    package var isOffline: Bool

    package init(
        source: Source, platform: Platform, file: File, invocationID: String, started: Timestamp, finished: Timestamp,
        isOffline: Bool
    ) {
        self.source = source
        self.platform = platform
        self.file = file
        self.invocationID = invocationID
        self.started = started
        self.finished = finished
        self.isOffline = isOffline
    }

    /// Whether all files came from where others can get them, too.
    var hasAllMaterials: Bool { locals.isEmpty }

    /// Whether nothing of the request was left out.
    var saysAll: Bool {
        settings.mode == .max || (arguments.keys.allSatisfy(Self.isKept) && secrets.isEmpty && agents.isEmpty)
    }

    var isHermetic: Bool { hasAllMaterials && isOffline }

    /// Whether an option is said in the short form, too: values may be secret.
    static func isKept(_ name: String) -> Bool { !name.hasPrefix("build-arg:") && !name.hasPrefix("label:") }
}

/// The wishes of a user for provenance.
package struct ProvenanceSettings: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable {
        case min
        /// Everything: also values of arguments, the Dockerfile, and the step that made each layer.
        case max
    }

    package enum Version: String, Hashable, Sendable {
        case v1
        case v02 = "v0.2"
    }

    package var mode = Mode.max
    package var version = Version.v1
    package var builder = ""
    /// Whether the user says that the build is reproducible.
    package var isReproducible = false

    package init() {}
}
