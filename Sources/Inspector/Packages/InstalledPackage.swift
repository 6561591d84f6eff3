/// A package that a package manager has installed in an image.
package struct InstalledPackage: Hashable, Sendable {
    package enum Manager: String, Hashable, Sendable, CaseIterable {
        case dpkg
        case apk
        /// Distributions of Python, whatever installed them.
        case python
    }

    package let manager: Manager
    package let name: String
    package let version: String
    /// The size that the package manager states, in bytes; `nil` when it states none.
    package let size: Int64?

    package init(manager: Manager, name: String, version: String, size: Int64? = nil) {
        self.manager = manager
        self.name = name
        self.version = version
        self.size = size
    }
}
