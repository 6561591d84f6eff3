package import Diagnostics
package import Graph
package import OCI

/// The plan of a build for one target and platform: the steps, and the parts of the image known before they run.
package struct BuildPlan: Sendable {
    package let graph: BuildGraph
    /// The file system of the result.
    package let target: VertexID
    /// The file systems of other stages that are built as well.
    package let unusedStages: [VertexID]
    /// The config of the result; its history and layers are still those of the base image, and `created` is not set.
    package let config: ImageConfig
    /// The history entries of the stages from the base image to the target, in order.
    package let steps: [PlannedHistory]
    package let warnings: [Warning]
    /// The name of the target stage in lower case, empty if it has none.
    package let targetName: String
    /// Seconds since 1970 that stand for the time of the build (`SOURCE_DATE_EPOCH`).
    package let epoch: Int64?
    /// The checks that are left for when the layers are there.
    package let layerChecks: LayerChecks

    /// The history of the base image.
    package var baseHistory: [History] { config.history }

    /// All vertices of the build, inputs first.
    package var vertices: [Vertex] { graph.reachable(from: unusedStages + [target]) }

    /// How many steps of the graph progress shows.
    package var stepCount: Int {
        vertices.count { vertex in
            switch vertex.operation {
            case .scratch, .context: false
            default: true
            }
        }
    }
}

/// A history entry to be, without its time.
package struct PlannedHistory: Hashable, Sendable {
    package let createdBy: String
    /// The step whose layer the entry describes; `nil` is an entry without a layer.
    package let vertex: VertexID?

    /// Marks the entries that a Dockerfile made, as BuildKit does.
    package var comment: String { "buildkit.dockerfile.v0" }
}

/// Something in a Dockerfile that works but is probably not meant.
package struct Warning: Hashable, Sendable {
    /// E.g. `StageNameCasing`.
    package let rule: String
    /// The finding.
    package let message: String
    package let location: SourceRange
    /// The page that explains the rule.
    package let url: String?
    /// The description of the rule.
    package let detail: String
    /// The command that shows the page about a rule of our own; `nil` for BuildKit's rules.
    package let page: String?

    package init(rule: String, message: String, location: SourceRange, url: String?, detail: String, page: String?) {
        self.rule = rule
        self.message = message
        self.location = location
        self.url = url
        self.detail = detail
        self.page = page
    }

    /// Whether this is advice of our own, which never makes a check fail.
    package var isAdvice: Bool { page != nil }

    /// As BuildKit puts it in progress: rule, message and line.
    package var summary: String { "\(rule): \(message) (line \(location.lines.lowerBound))" }
}

/// Finds images and their configs for the frontend.
package protocol BaseImageResolver: Sendable {
    /// The image with this name for this platform, or the nearest platform it has.
    ///
    /// The reference of the result should carry the digest, so that progress can show it.
    func resolve(_ name: ImageName, platform: Platform) async throws -> ResolvedBase

    /// The image in the layout directory that the user gives as a context of this name.
    func resolve(layout context: String, platform: Platform) async throws -> ResolvedBase
}

/// An image that a stage starts from or copies from.
package struct ResolvedBase: Sendable {
    package let source: ImageSource
    package let config: ImageConfig

    package init(source: ImageSource, config: ImageConfig) {
        self.source = source
        self.config = config
    }
}
