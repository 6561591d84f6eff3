import OCI

/// Changes of an image's config that the user asks for and the Dockerfile does not make.
///
/// They apply to the image that is made: no step sees them, so none of them is part of a cache key.
package struct ConfigChanges: Sendable {
    /// Variables to set, the last of a name wins.
    package var variables: [(name: String, value: String)] = []
    /// Variables to remove, after ``variables`` are set.
    package var removedVariables: [String] = []
    /// Labels that are not taken from base images.
    package var removedLabels: [String] = []
    /// Whether labels are taken from base images at all.
    package var inheritsLabels = true
    /// Whether the config says nothing of how the image was made.
    package var omitsHistory = false

    package init() {}

    /// The config of a base image without the labels that are not inherited.
    func applied(toBase config: ImageConfig) -> ImageConfig {
        var config = config
        if inheritsLabels {
            for name in removedLabels { config.config.labels[name] = nil }
        } else {
            config.config.labels = [:]
        }
        return config
    }

    /// The config of the target stage with its variables changed.
    func applied(toTarget config: ImageConfig) -> ImageConfig {
        guard !variables.isEmpty || !removedVariables.isEmpty else { return config }
        var environment = Environment(config.config.environment)
        for (name, value) in variables { environment.set(name, to: value) }
        var result = config
        result.config.environment = environment.list.filter { entry in
            !removedVariables.contains { entry == $0 || entry.hasPrefix("\($0)=") }
        }
        return result
    }
}
