import Diagnostics
import Linux
import Testing

@Suite struct UserDatabaseTests {
    private static let passwd = Array(
        """
        # comment
        root:x:0:0:root:/root:/bin/sh
        bob:x:1000:100:Bob:/home/bob:/bin/sh
        99:x:5:6::/ninetynine:/bin/sh
        broken:x:one:two
        nohome:x:11:12

        """.utf8)
    private static let group = Array(
        "root:x:0:bob\nusers:x:100:\nwheel:x:10:root,bob\ndocker:x:999:bob\nwheel2:x:10:bob\n+\n".utf8)

    @Test(arguments: [
        ("", ResolvedUser(uid: 0, gid: 0, groups: [], home: "/root")),
        ("root", ResolvedUser(uid: 0, gid: 0, groups: [10], home: "/root")),
        ("0", ResolvedUser(uid: 0, gid: 0, groups: [10], home: "/root")),
        ("bob", ResolvedUser(uid: 1000, gid: 100, groups: [0, 10, 999], home: "/home/bob")),
        ("1000", ResolvedUser(uid: 1000, gid: 100, groups: [0, 10, 999], home: "/home/bob")),
        ("bob:docker", ResolvedUser(uid: 1000, gid: 999, groups: [], home: "/home/bob")),
        ("bob:7", ResolvedUser(uid: 1000, gid: 7, groups: [], home: "/home/bob")),
        ("7", ResolvedUser(uid: 7, gid: 0, groups: [], home: "/")),
        ("7:8", ResolvedUser(uid: 7, gid: 8, groups: [], home: "/")),
        (":5", ResolvedUser(uid: 0, gid: 5, groups: [], home: "/root")),
        (":wheel", ResolvedUser(uid: 0, gid: 10, groups: [], home: "/root")),
        ("bob:", ResolvedUser(uid: 1000, gid: 100, groups: [0, 10, 999], home: "/home/bob")),
        ("99", ResolvedUser(uid: 5, gid: 6, groups: [], home: "/ninetynine")),
        ("nohome", ResolvedUser(uid: 11, gid: 12, groups: [], home: "/")),
    ])
    func resolves(_ spec: String, _ expected: ResolvedUser) throws {
        #expect(try UserDatabase(passwd: Self.passwd, group: Self.group).resolve(spec) == expected)
    }

    @Test(
        "An unknown user or group is an error",
        arguments: [
            ("nosuch", UserCode.unknownUser, "unable to find user nosuch: no matching entries in passwd file"),
            ("broken", .unknownUser, "unable to find user broken: no matching entries in passwd file"),
            ("7:nogrp", .unknownGroup, "unable to find group nogrp: no matching entries in group file"),
            ("bob:wheel:x", .unknownGroup, "unable to find group wheel:x: no matching entries in group file"),
            ("+1", .unknownUser, "unable to find user +1: no matching entries in passwd file"),
            ("-1", .invalid, "the user number -1 is not between 0 and 2147483647"),
            ("4294967295", .invalid, "the user number 4294967295 is not between 0 and 2147483647"),
            ("0:99999999999", .invalid, "the group number 99999999999 is not between 0 and 2147483647"),
        ])
    func rejects(_ spec: String, _ code: UserCode, _ message: String) {
        let error = #expect(throws: UserError.self) {
            try UserDatabase(passwd: Self.passwd, group: Self.group).resolve(spec)
        }
        #expect(error?.code == code)
        #expect(error?.message == message)
    }

    @Test func needsFilesForNamesOnly() throws {
        let empty = UserDatabase(passwd: nil, group: nil)
        #expect(try empty.resolve("0") == ResolvedUser(uid: 0, gid: 0, groups: [], home: "/"))
        #expect(try empty.resolve("") == ResolvedUser(uid: 0, gid: 0, groups: [], home: "/"))
        #expect(throws: UserError.self) { try empty.resolve("root") }
    }

    @Test func ignoresNamesThatAreNotText() throws {
        let users = UserDatabase(passwd: [0xff, 0x0a] + Self.passwd, group: nil)
        #expect(try users.resolve("bob").uid == 1000)
    }
}
