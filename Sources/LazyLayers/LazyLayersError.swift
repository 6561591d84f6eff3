package import Diagnostics

/// Errors of layers that are read in parts.
package enum LazyLayersCode: String, FailureCode {
    /// The layer holds something that the format has no place for.
    case unsupported = "lazy.unsupported"
    /// The layer says that it is of a format, and is not.
    case damaged = "lazy.damaged"
    /// A list of files to prefetch names one that is not there.
    case noSuchFile = "lazy.no-such-file"
}

package typealias LazyLayersError = Failure<LazyLayersCode>
