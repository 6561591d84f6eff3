package import Diagnostics
import Linux

/// Errors of layers.
package enum LayerCode: String, FailureCode {
    /// The bytes are not a tar archive.
    case notAnArchive = "layer.not-an-archive"
    /// The archive, or the compressed stream around it, ends too early.
    case truncated = "layer.truncated"
    /// The archive, or the compressed stream around it, contradicts itself.
    case damaged = "layer.damaged"
    /// A name that leads out of the layer or cannot be a file name.
    case unsafePath = "layer.unsafe-path"
    /// A file whose name means something else in a layer.
    case reservedName = "layer.reserved-name"
    /// Something that layers may hold but that cannot be handled.
    case unsupported = "layer.unsupported"
    /// A file changed while it was read.
    case fileChanged = "layer.file-changed"
    /// A recorded file list that cannot be read.
    case badFileList = "layer.bad-file-list"
}

package typealias LayerError = Failure<LayerCode>

extension LayerError {
    /// The error for files that no layer may have: they are refused where one is read and where one is made.
    static let tooDeep = LayerError(
        .unsupported, "more than \(PathBytes.depthLimit) directories are one in another, which no layer may hold")
}
