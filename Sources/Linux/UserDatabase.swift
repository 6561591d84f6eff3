package import Diagnostics

package enum UserCode: String, FailureCode {
    case unknownUser = "user.unknown"
    case unknownGroup = "user.unknown-group"
    case invalid = "user.invalid"
}

package typealias UserError = Failure<UserCode>

/// A user and group as numbers.
package struct ResolvedUser: Hashable, Sendable {
    package let uid: UInt32
    package let gid: UInt32
    /// Supplementary groups, sorted; `gid` is always among them, or a program could give it up and get past files that
    /// deny it access by that group (CVE-2022-36109).
    package let groups: [UInt32]
    /// The home directory of the user's entry, `/` without one.
    package let home: String

    package init(uid: UInt32, gid: UInt32, groups: [UInt32], home: String) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.home = home
    }
}

/// The users and groups of an image, by the text of its `/etc/passwd` and `/etc/group`.
///
/// See `passwd(5)` and `group(5)`. Lines that are malformed, and names that are not UTF-8, match nothing.
package struct UserDatabase: Sendable {
    private struct User {
        let name: Substring
        let uid: UInt32
        let gid: UInt32
        let home: Substring
    }

    private struct Group {
        let name: Substring
        let gid: UInt32
        let members: [Substring]
    }

    private let users: [User]
    private let groups: [Group]

    /// - Parameters:
    ///   - passwd: the content of `/etc/passwd`; `nil` if there is none.
    ///   - group: the content of `/etc/group`; `nil` if there is none.
    package init(passwd: [UInt8]?, group: [UInt8]?) {
        users = Self.lines(passwd).compactMap { fields in
            guard fields.count >= 4, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
            return User(name: fields[0], uid: uid, gid: gid, home: fields.count > 5 ? fields[5] : "")
        }
        groups = Self.lines(group).compactMap { fields in
            guard fields.count >= 3, let gid = UInt32(fields[2]) else { return nil }
            return Group(name: fields[0], gid: gid, members: fields.count > 3 ? fields[3].split(separator: ",") : [])
        }
    }

    /// Resolves what `USER` says: `user`, `user:group`, `:group` or nothing, each a name or a number.
    ///
    /// A user without a group has the group and the supplementary groups of its entry; with one, that group only. Without
    /// a user, it is user 0 with its entry. A number needs no entry and is never taken for a name.
    package func resolve(_ spec: String) throws(UserError) -> ResolvedUser {
        let parts = spec.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let (userPart, groupPart) = (parts.first ?? "", parts.count > 1 ? parts[1] : "")
        let entry = try user(userPart)
        let uid =
            if let entry { entry.uid } else if userPart.isEmpty { UInt32(0) } else {
                try Self.number(userPart, .unknownUser)
            }
        let home = entry.map { $0.home.isEmpty ? "/" : String($0.home) } ?? "/"
        guard groupPart.isEmpty else {
            let gid = try groupNumber(groupPart)
            return ResolvedUser(uid: uid, gid: gid, groups: [gid], home: home)
        }
        let gid = entry?.gid ?? 0
        return ResolvedUser(uid: uid, gid: gid, groups: groups(of: entry, with: gid), home: home)
    }

    /// The user and group of the entry with a name; `nil` without one.
    func numbers(ofUser name: String) -> (uid: UInt32, gid: UInt32)? {
        users.first { $0.name.utf8.elementsEqual(name.utf8) }.map { ($0.uid, $0.gid) }
    }

    /// The number of the group with a name; `nil` without one.
    func number(ofGroup name: String) -> UInt32? {
        groups.first { $0.name.utf8.elementsEqual(name.utf8) }?.gid
    }

    /// The entry of a name or number; `nil` for a number without one.
    private func user(_ text: Substring) throws(UserError) -> User? {
        if text.isEmpty { return users.first { $0.uid == 0 } }
        guard !Self.isNumber(text) else {
            let uid = try Self.number(text, .unknownUser)
            return users.first { $0.uid == uid }
        }
        return users.first { $0.name.utf8.elementsEqual(text.utf8) }
    }

    private func groupNumber(_ text: Substring) throws(UserError) -> UInt32 {
        if !Self.isNumber(text), let gid = number(ofGroup: String(text)) { return gid }
        return try Self.number(text, .unknownGroup)
    }

    private func groups(of user: User?, with gid: UInt32) -> [UInt32] {
        guard let user else { return [gid] }
        let member = groups.filter { $0.members.contains { $0.utf8.elementsEqual(user.name.utf8) } }
        return Set(member.map(\.gid)).union([gid]).sorted()
    }

    private static func isNumber(_ text: Substring) -> Bool { Int64(text) != nil && !text.hasPrefix("+") }

    /// The kernel keeps 2^32 - 1 for "no change", and user namespaces are mapped up to 2^31 - 1 only by other tools.
    private static func number(_ text: Substring, _ code: UserCode) throws(UserError) -> UInt32 {
        let (kind, file) = code == .unknownGroup ? ("group", "group") : ("user", "passwd")
        guard isNumber(text) else {
            throw UserError(code, "unable to find \(kind) \(text): no matching entries in \(file) file")
        }
        guard let number = UInt32(text), number <= UInt32(Int32.max) else {
            throw UserError(.invalid, "the \(kind) number \(text) is not between 0 and \(Int32.max)")
        }
        return number
    }

    private static func lines(_ content: [UInt8]?) -> [[Substring]] {
        guard let content else { return [] }
        return content.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard line.first != UInt8(ascii: "#") else { return nil }
            return String(validating: line, as: UTF8.self)?.split(separator: ":", omittingEmptySubsequences: false)
        }
    }
}
