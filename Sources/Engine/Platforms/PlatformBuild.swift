import Attestations
import Frontend
import OCI
import Trees

/// The result of a build for one of its platforms.
struct PlatformBuild: Sendable {
    let platform: Platform
    let plan: BuildPlan
    /// The layers of the result.
    let stack: LayerStack
    /// The provenance of the image, if it is to have one.
    var provenance: Provenance?

    /// The name of the platform's directory in an output of files, as buildx has it: `linux_arm_v7`.
    var directoryName: String { platform.description.replacing("/", with: "_") }
}
