/// A package that is installed in an image.
package struct InstalledSoftware: Hashable, Sendable {
    package enum Manager: String, Hashable, Sendable, CaseIterable {
        case dpkg, apk, rpm
        /// Distributions of Python, whatever installed them.
        case python
        case npm
        /// Modules of Go in programs.
        case go
        /// Crates of Rust in programs.
        case cargo
        case maven, gem, composer

        /// The type of its packages' URLs.
        var urlType: String {
            switch self {
            case .dpkg: "deb"
            case .python: "pypi"
            case .go: "golang"
            default: rawValue
            }
        }

        /// Whether its packages are those of a distribution.
        package var isOfSystem: Bool { [.dpkg, .apk, .rpm].contains(self) }
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
    /// As its manager writes it, such as `@scope/name` and `group:artifact`.
    package let name: String
    /// With the epoch of an rpm, `1:2-3`.
    package let version: String
    package var architecture = ""
    package var source: Source?
    /// As the record has it; `nil` where it says nothing.
    package var license: String?
    /// The person or the list that maintains the package.
    package var maintainer: String?
    /// The organization that has built the package.
    package var vendor: String?
    /// The size that the record states, in bytes; `nil` when it states none.
    package var size: Int64?

    package init(manager: Manager, name: String, version: String) {
        self.manager = manager
        self.name = name
        self.version = version
    }

    /// A package as a file names it; `nil` without a name or a version, or for one that is longer than any.
    init?(_ manager: Manager, name: String?, version: String?) {
        guard let name, let version, !name.isEmpty, !version.isEmpty, name.utf8.count <= 1024,
            version.utf8.count <= 1024
        else { return nil }
        self.init(manager: manager, name: name, version: version)
    }
}
