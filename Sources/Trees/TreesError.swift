package import Diagnostics
import Linux

/// Errors of file trees and copies.
package enum TreesCode: String, FailureCode {
    case sourceNotFound = "copy.source-not-found"
    case copyConflict = "copy.conflict"
    case tooManyLinks = "files.too-many-links"
    /// A layer that no runtime could unpack on those below it.
    case badLayer = "layer.bad"
    /// More directories, one in another, than a layer may hold.
    case tooDeep = "files.too-deep"
    /// A file with more zeros that take no space than a layer may hold.
    case tooSparse = "files.too-sparse"
    /// A file of a tree, or a cache of digests, is missing or damaged.
    case corrupt = "store.corrupt"
}
package typealias TreesError = Failure<TreesCode>

extension TreesError {
    static let tooDeep = TreesError(
        .tooDeep, "more than \(PathBytes.depthLimit) directories are one in another, which no layer may hold")
}
