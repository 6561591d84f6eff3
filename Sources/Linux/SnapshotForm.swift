/// How the files of a snapshot lie on disk, which decides who can use it: the same layer may be there in several forms.
package struct SnapshotForm: Hashable, Sendable {
    /// How it says what is gone of the layers below, such as that a directory hides those below it.
    package enum Marks: String, Hashable, Sendable {
        /// In attributes that only the root of the machine can see.
        case trusted
        /// In attributes that everybody can see, also in a user namespace.
        case user
        /// As `.wh.*` files, for overlays that the kernel does not mount.
        case names
    }

    package let marks: Marks
    /// The maps of the user namespace in which the files were made, to which their owners belong. `nil`
    /// where all files belong to the user who made them, whomever their layer gives them to.
    package let owners: String?

    package init(marks: Marks, owners: String?) {
        self.marks = marks
        self.owners = owners
    }

    /// The form of snapshots made by root with overlays that only root can make.
    package static let root = SnapshotForm(marks: .trusted, owners: "0:0:4294967295 0:0:4294967295")

    /// The form as the database has it.
    package var text: String { owners.map { "\(marks.rawValue) \($0)" } ?? marks.rawValue }

    package init?(text: String) {
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard let name = parts.first, let marks = Marks(rawValue: name) else { return nil }
        self.init(marks: marks, owners: parts.count > 1 ? parts[1] : nil)
    }
}
