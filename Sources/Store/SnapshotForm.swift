/// How the files of a snapshot lie on disk, which decides who can use it: the same layer may be there in several forms.
package struct SnapshotForm: Hashable, Sendable {
    /// Where overlayfs has its marks, such as that a directory hides those below it.
    package enum Attributes: String, Hashable, Sendable {
        /// In attributes that only the root of the machine can see.
        case trusted
        /// In attributes that everybody can see, also in a user namespace.
        case user
    }

    package let attributes: Attributes
    /// What the owners of the files are the numbers of: the maps of the user namespace in which they were made. `nil`
    /// where all files belong to the user who made them, whomever their layer gives them to.
    package let owners: String?

    package init(attributes: Attributes, owners: String?) {
        self.attributes = attributes
        self.owners = owners
    }

    /// That of snapshots made by root with overlays that only root can make.
    package static let root = SnapshotForm(attributes: .trusted, owners: "0:0:4294967295 0:0:4294967295")

    /// The form as the database has it.
    var text: String { owners.map { "\(attributes.rawValue) \($0)" } ?? attributes.rawValue }

    init?(text: String) {
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard let name = parts.first, let attributes = Attributes(rawValue: name) else { return nil }
        self.init(attributes: attributes, owners: parts.count > 1 ? parts[1] : nil)
    }
}
