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
        "root:x:0:bob\nusers:x:100:\nwheel:x:10:root,bob\ndocker:x:999:bob\nwheel2:x:10:bob\n77:x:78:\n+\n".utf8)

    @Test(arguments: [
        ("", ResolvedUser(uid: 0, gid: 0, groups: [0, 10], home: "/root")),
        ("root", ResolvedUser(uid: 0, gid: 0, groups: [0, 10], home: "/root")),
        ("0", ResolvedUser(uid: 0, gid: 0, groups: [0, 10], home: "/root")),
        ("bob", ResolvedUser(uid: 1000, gid: 100, groups: [0, 10, 100, 999], home: "/home/bob")),
        ("1000", ResolvedUser(uid: 1000, gid: 100, groups: [0, 10, 100, 999], home: "/home/bob")),
        ("bob:docker", ResolvedUser(uid: 1000, gid: 999, groups: [999], home: "/home/bob")),
        ("bob:7", ResolvedUser(uid: 1000, gid: 7, groups: [7], home: "/home/bob")),
        ("7", ResolvedUser(uid: 7, gid: 0, groups: [0], home: "/")),
        ("7:8", ResolvedUser(uid: 7, gid: 8, groups: [8], home: "/")),
        (":5", ResolvedUser(uid: 0, gid: 5, groups: [5], home: "/root")),
        (":wheel", ResolvedUser(uid: 0, gid: 10, groups: [10], home: "/root")),
        ("bob:", ResolvedUser(uid: 1000, gid: 100, groups: [0, 10, 100, 999], home: "/home/bob")),
        // A number is never a name, of a user or a group.
        ("99", ResolvedUser(uid: 99, gid: 0, groups: [0], home: "/")),
        ("0:77", ResolvedUser(uid: 0, gid: 77, groups: [77], home: "/root")),
        ("nohome", ResolvedUser(uid: 11, gid: 12, groups: [12], home: "/")),
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
        #expect(try empty.resolve("0") == ResolvedUser(uid: 0, gid: 0, groups: [0], home: "/"))
        #expect(try empty.resolve("") == ResolvedUser(uid: 0, gid: 0, groups: [0], home: "/"))
        #expect(throws: UserError.self) { try empty.resolve("root") }
    }

    @Test func givesRootTheGroupOfItsEntry() throws {
        let users = UserDatabase(passwd: Array("admin:x:0:7::/a:\n".utf8), group: Array("g:x:8:admin\n".utf8))
        #expect(try users.resolve("") == ResolvedUser(uid: 0, gid: 7, groups: [7, 8], home: "/a"))
    }

    @Test(arguments: [
        ("bob", 1000, 100), ("bob:", 1000, 0), ("bob:nosuch", 1000, 100), ("bob:docker", 1000, 999), ("bob:7", 1000, 7),
        ("5", 5, 5), ("5:", 5, 0), ("5:nosuch", 5, 5), ("5:docker", 5, 999), (":docker", 0, 999), (":5", 0, 5),
        ("nosuch", 0, 0), ("nosuch:docker", 0, 999), ("99", 99, 99), ("root", 0, 0), ("bob:root", 1000, 0),
    ])
    func resolvesTheOwnersOfFiles(_ spec: String, _ uid: UInt32, _ gid: UInt32) {
        let owner = OwnerSpec(spec).resolve(in: UserDatabase(passwd: Self.passwd, group: Self.group))
        #expect((owner.uid, owner.gid) == (uid, gid))
    }

    /// The name root is 0 without any account file, and where the files say something else.
    @Test(arguments: [("root", 0, 0), ("root:root", 0, 0), ("5:root", 5, 0), ("root:6", 0, 6)])
    func takesRootForANumber(_ spec: String, _ uid: UInt32, _ gid: UInt32) {
        #expect(!OwnerSpec(spec).hasNames)
        let owner = OwnerSpec(spec).resolve(in: UserDatabase(passwd: Array("root:x:3:4::/:\n".utf8), group: nil))
        #expect((owner.uid, owner.gid) == (uid, gid))
    }

    @Test func ignoresNamesThatAreNotText() throws {
        let users = UserDatabase(passwd: [0xff, 0x0a] + Self.passwd, group: nil)
        #expect(try users.resolve("bob").uid == 1000)
    }
}
