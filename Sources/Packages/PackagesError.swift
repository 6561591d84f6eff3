package import Diagnostics

/// Why the software in an image cannot be listed.
package enum PackagesCode: String, FailureCode {
    /// A database of packages is damaged, or none.
    case badDatabase = "packages.bad-database"
    /// A database has a form that is not read.
    case unsupported = "packages.unsupported"
    /// A database is larger than what is read.
    case tooLarge = "packages.too-large"
}

package typealias PackagesError = Failure<PackagesCode>
