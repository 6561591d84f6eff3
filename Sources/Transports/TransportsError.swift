package import Diagnostics

/// Failures of images on their way from one place to another.
package enum TransportsCode: String, FailureCode {
    /// The name of an image is written in a way that no transport has.
    case badName = "transport.malformed"
    case imageNotFound = "image.not-found"
    case badArchive = "archive.malformed"
    /// The destination cannot hold the image as it is.
    case unsupported = "unsupported"
    /// An index lacks a platform that is wanted.
    case noPlatform = "manifest.no-platform"
    /// The digest would change, which the user did not want.
    case digestChanged = "digest.changed"
    /// A directory holds something else.
    case notEmpty = "output.not-empty"
}
package typealias TransportsError = Failure<TransportsCode>
