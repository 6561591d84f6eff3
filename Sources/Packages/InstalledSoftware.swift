/// A package that a package manager has installed.
package struct InstalledSoftware: Hashable, Sendable {
    package enum Manager: String, Hashable, Sendable, CaseIterable {
        case dpkg
        case apk

        /// The type of its packages' URLs.
        var urlType: String { self == .dpkg ? "deb" : "apk" }
    }

    /// The package that it was built from, which vulnerabilities are told by.
    package struct Source: Hashable, Sendable {
        package let name: String
        /// `nil` where it is the version of the package itself.
        package let version: String?

        package init(name: String, version: String? = nil) {
            self.name = name
            self.version = version
        }
    }

    package let manager: Manager
    package let name: String
    package let version: String
    package var architecture = ""
    package var source: Source?
    /// As the record has it; `nil` where it says nothing.
    package var license: String?
    package var maintainer: String?

    package init(manager: Manager, name: String, version: String) {
        self.manager = manager
        self.name = name
        self.version = version
    }
}
