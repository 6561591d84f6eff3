/// The layers of an image that become one.
package enum Squash: String, Hashable, Sendable {
    /// The layers that the build makes.
    case newLayers = "new"
    /// All layers, those of the base image included.
    case allLayers = "all"

    /// Its name among the arguments that provenance records.
    package static let argument = "squash"
}
