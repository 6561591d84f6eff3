package import Diagnostics

/// Failures of the check of the store.
package enum HousekeepingCode: String, FailureCode {
    /// The store is to be changed while a build runs.
    case storeInUse = "store.in-use"
}

package typealias HousekeepingError = Failure<HousekeepingCode>
