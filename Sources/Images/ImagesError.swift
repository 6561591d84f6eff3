package import Diagnostics

/// Failures of images and layers on their way into the store and out of it.
package enum ImagesCode: String, FailureCode {
    case imageNotFound = "image.not-found"
    case imageInUse = "image.in-use"
    case badArchive = "archive.malformed"
    case corrupt = "store.corrupt"
    /// No recorded place has the layer, and the store does not have it.
    case layerGone = "layer.gone"
    /// The credentials for an object store are missing.
    case noCredentials = "s3.credentials"
    case unsupported = "unsupported"
}
package typealias ImagesError = Failure<ImagesCode>
