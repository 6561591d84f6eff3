package import Diagnostics

/// Why an image cannot be inspected.
package enum InspectorCode: String, FailureCode {
    /// The store lacks the image's config.
    case missingConfig = "inspect.missing-config"
    /// The store has no record of what is in a layer.
    case missingFileList = "inspect.missing-file-list"
    /// The record of what is in a layer cannot be read.
    case badFileList = "inspect.bad-file-list"
    /// A pattern for paths cannot be read, or is too large.
    case badPattern = "inspect.bad-pattern"
    /// There is no such file in the image or the layer.
    case noSuchFile = "inspect.no-such-file"
    /// The file is not one of the kind that is needed.
    case wrongKind = "inspect.wrong-kind"
    /// The image has no such layer.
    case noSuchLayer = "inspect.no-such-layer"
    /// The store does not have the bytes of a layer, or not those that were recorded.
    case missingContent = "inspect.missing-content"
    /// A file of rules cannot be read, or a rule has a bad value.
    case badPolicy = "inspect.bad-policy"
    /// A file is no image, or a damaged one.
    case badImageFile = "inspect.bad-image-file"
    /// Something is there already.
    case exists = "inspect.exists"
}

package typealias InspectorError = Failure<InspectorCode>
