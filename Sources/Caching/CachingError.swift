package import Diagnostics

/// Failures of caches that builds share with each other.
package enum CachingCode: String, FailureCode {
    /// A cache that cannot be read or written.
    case badCache = "cache.invalid"
    case corrupt = "store.corrupt"
}
package typealias CachingError = Failure<CachingCode>
