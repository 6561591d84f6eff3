package import Diagnostics

/// Failures of images outside of the store when they are looked into.
package enum ForeignImageCode: String, FailureCode {
    /// The parts of an image do not fit together.
    case damaged = "image.damaged"
    /// The image is for another platform.
    case noPlatform = "manifest.no-platform"
}

package typealias ForeignImageError = Failure<ForeignImageCode>
