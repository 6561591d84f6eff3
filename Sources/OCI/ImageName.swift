/// The name of an image as a user writes it, in which the registry may be missing.
package struct ImageName: Hashable, Sendable {
    /// The image by Docker's rules: without a registry it is one of Docker Hub.
    package let reference: ImageReference
    /// The repository as it is written, if the name has no registry.
    ///
    /// Such a short name is what the machine's `registries.conf` may have a meaning for.
    package let shortName: String?

    /// A name that is complete.
    package init(_ reference: ImageReference) {
        self.reference = reference
        shortName = nil
    }

    package init(parsing text: String) throws(ReferenceError) {
        reference = try ImageReference(parsing: text)
        shortName = Self.shortName(in: text)
    }

    private static func shortName(in text: String) -> String? {
        var repository = text.prefix { $0 != "@" }
        if let colon = repository.lastIndex(of: ":"), !repository[colon...].contains("/") {
            repository = repository[..<colon]
        }
        let first = repository.prefix { $0 != "/" }
        let hasRegistry = first.endIndex != repository.endIndex && ImageReference.isRegistry(first)
        return hasRegistry ? nil : String(repository)
    }
}
