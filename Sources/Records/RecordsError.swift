package import Diagnostics

/// Failures of the history of builds.
package enum RecordsCode: String, FailureCode {
    case buildNotFound = "build.not-found"
    /// The record of a build is damaged.
    case corrupt = "store.corrupt"
}
package typealias RecordsError = Failure<RecordsCode>
