/// The value of `--chown`, and of USER for a directory that WORKDIR makes: `user`, `user:group` or `:group`, each a name
/// or a number. `root` is the number 0, whatever the account files say.
///
/// Unlike a command, files may belong to a name that does not exist: they are root's then, as with BuildKit.
package struct OwnerSpec: Hashable, Sendable {
    private enum Part: Hashable, Sendable {
        case number(UInt32)
        case name(String)

        /// An empty part is root, as in BuildKit.
        init(_ text: Substring) {
            if text.isEmpty || text == "root" {
                self = .number(0)
            } else if let number = UInt32(text), !text.hasPrefix("+"), number <= UInt32(Int32.max) {
                self = .number(number)
            } else {
                self = .name(String(text))
            }
        }

        var isName: Bool { if case .name = self { true } else { false } }
    }

    private let user: Part
    private let group: Part?

    package init(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        user = Part(parts.first ?? "")
        group = parts.count > 1 ? Part(parts[1]) : nil
    }

    /// Whether account files are needed to find the numbers.
    package var hasNames: Bool { user.isName || group?.isName == true }

    /// The numbers. Without a group, or with the name of a group that does not exist, the group is that of the user's
    /// entry, and for a number the same number.
    package func resolve(in accounts: UserDatabase) -> (uid: UInt32, gid: UInt32) {
        var owner: (uid: UInt32, gid: UInt32) =
            switch user {
            case .number(let number): (number, number)
            case .name(let name): accounts.numbers(ofUser: name) ?? (0, 0)
            }
        switch group {
        case .number(let number): owner.gid = number
        case .name(let name): owner.gid = accounts.number(ofGroup: name) ?? owner.gid
        case nil: break
        }
        return owner
    }
}
