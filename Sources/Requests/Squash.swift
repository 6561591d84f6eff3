/// The layers of an image that become one.
package enum Squash: Hashable, Sendable {
    /// Those that the build makes.
    case newLayers
    /// Those of the base image, too.
    case allLayers
}
