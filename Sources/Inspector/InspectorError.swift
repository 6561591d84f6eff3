package import Diagnostics

/// Why an image cannot be inspected.
package enum InspectorCode: String, FailureCode {
    /// The store lacks the image's config.
    case missingConfig = "inspect.missing-config"
    /// The store has no record of what is in a layer.
    case missingFileList = "inspect.missing-file-list"
    /// The record of what is in a layer cannot be read.
    case badFileList = "inspect.bad-file-list"
}

package typealias InspectorError = Failure<InspectorCode>
