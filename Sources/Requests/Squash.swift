/// The layers of an image that become one.
package enum Squash: Hashable, Sendable {
    /// The layers that the build makes.
    case newLayers
    /// All layers, those of the base image included.
    case allLayers
}
