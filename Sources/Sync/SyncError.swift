package import Diagnostics

/// Failures of copies of many images.
package enum SyncCode: String, FailureCode {
    /// The list of images is not of its form.
    case badList = "sync.malformed"
    /// A range of versions cannot be read.
    case badVersions = "sync.versions"
    /// There is nothing to copy at the source.
    case nothing = "sync.nothing"
    /// Some of the images were not copied.
    case incomplete = "sync.incomplete"
}

package typealias SyncError = Failure<SyncCode>
