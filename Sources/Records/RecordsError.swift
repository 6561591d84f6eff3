package import Diagnostics

/// What can go wrong with the history of builds.
package enum RecordsCode: String, FailureCode {
    case buildNotFound = "build.not-found"
    /// The record of a build is damaged.
    case corrupt = "store.corrupt"
}
package typealias RecordsError = Failure<RecordsCode>
