import Glibc
package import Linux
import SystemPackage

extension CapabilitySet {
    /// SETGID SETUID SETFCAP: with them a process may give a user namespace any number it has itself.
    fileprivate static let mapping = CapabilitySet(rawValue: 1 << 6 | 1 << 7 | 1 << 31)
}

extension UserNamespace {
    /// The namespace that this user may have: with every number there is for root, with the subordinate numbers of
    /// `/etc/subuid` and `/etc/subgid` for others, and with the user's own alone where there are none.
    ///
    /// Nothing is tried.
    package static func available() -> UserNamespace {
        let (uid, gid) = (geteuid(), getegid())
        if uid == 0, CapabilitySet.effective.isSuperset(of: .mapping) {
            let current = IDMaps.current
            return UserNamespace(
                maps: IDMaps(users: current.users.identity, groups: current.groups.identity), tools: nil,
                refusesGroups: false)
        }
        let (users, groups) = (SubordinateRange.users, SubordinateRange.groups)
        let tools = HostFacts.tools(in: HostFacts.searchPath())
        if !users.isEmpty, !groups.isEmpty, let user = tools["newuidmap"], let group = tools["newgidmap"] {
            let maps = IDMaps(
                users: IDMap(own: uid, subordinates: users), groups: IDMap(own: gid, subordinates: groups))
            return UserNamespace(maps: maps, tools: (user, group), refusesGroups: false)
        }
        let maps = IDMaps(users: IDMap(own: uid, subordinates: []), groups: IDMap(own: gid, subordinates: []))
        return UserNamespace(maps: maps, tools: nil, refusesGroups: true)
    }

    /// Why this process cannot make and use one, in words; `nil` if it can.
    package static func obstacle() -> String? {
        let steps = [
            SandboxStep(.mount(source: nil, target: "/", type: nil, flags: [.recursive, .isPrivate], data: nil))
        ]
        return StepEncoding(steps).obstacle(namespaces: [.user, .mount, .process, .interprocess, .hostname])
    }
}

extension SubordinateRange {
    /// The numbers of users that this process's user may use besides its own.
    package static var users: [SubordinateRange] { HostFacts.subordinates("/etc/subuid", geteuid()) }
    /// The numbers of groups.
    package static var groups: [SubordinateRange] { HostFacts.subordinates("/etc/subgid", geteuid()) }
}
