import Diagnostics
import Glibc
import Linux
import OCI
import Testing
import Trees

@testable import Requests
@testable import Sandbox

/// Profiles in Docker's format and that of the OCI runtime specification.
@Suite struct SeccompProfileFileTests {
    private func profile(_ text: String) throws -> SeccompProfile { try SeccompProfile(JSON(parsing: text)) }

    @Test func readsEveryField() throws {
        let profile = try profile(
            """
            {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"],
             "flags": ["SECCOMP_FILTER_FLAG_LOG"], "syscalls": [
              {"names": ["a", "b"], "action": "SCMP_ACT_ALLOW", "comment": "x",
               "args": [{"index": 1, "value": 18446744073709551615, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}],
               "includes": {"caps": ["CAP_CHOWN"], "arches": ["amd64"], "minKernel": "4.8"},
               "excludes": {"caps": ["CAP_NO_SUCH"]}},
              {"name": "c", "action": "SCMP_ACT_ERRNO", "errnoRet": 2},
              {"names": ["d"], "action": "SCMP_ACT_KILL_PROCESS", "args": null}]}
            """)
        #expect(profile.defaultAction == .errno(ENOSYS))
        #expect(profile.architectures == ["x86_64"])
        #expect(profile.flags == .log)
        #expect(profile.rules.map(\.names) == [["a", "b"], ["c"], ["d"]])
        #expect(profile.rules.map(\.action) == [.allow, .errno(ENOENT), .killProcess])
        #expect(profile.rules[0].comparisons == [.init(1, .maskedEqual, .max, 2)])
        let chown = try #require(CapabilitySet(name: "CHOWN"))
        #expect(
            profile.rules[0].includes == .init(capabilities: chown, architectures: ["amd64"], kernel: .init(4, 8)))
        #expect(profile.rules[0].excludes.capabilities == CapabilitySet(rawValue: 1 << 63))
    }

    @Test(
        "A malformed seccomp profile is refused",
        arguments: [
            "{}", "[]", #"{"defaultAction": "SCMP_ACT_NOTIFY"}"#, #"{"defaultAction": "allow"}"#,
            #"{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}"#,
            #"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["X"]}"#,
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": 1}"#,
            #"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["x86"]}"#,
            #"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{}]}"#,
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"]}]}"#,
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_KILL"}]}"#,
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": -1}]}"#,
            #"{"defaultAction": "SCMP_ACT_KILL", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 6}]}]}"#,
            #"{"defaultAction": "SCMP_ACT_KILL", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "EQ"}]}]}"#,
        ])
    func refuses(_ text: String) {
        let error = #expect(throws: RequestsError.self) { try profile(text) }
        #expect(error?.code == .badOption)
    }

    /// Capabilities dropped from ALL, and added to none.
    @Test(
        arguments: [
            ([String](), [String](), CapabilitySet.container), (["CHOWN"], ["ALL"], CapabilitySet(rawValue: 1)),
            ([], ["all"], []), (["cap_sys_admin"], [], CapabilitySet.container.union(.systemAdministration)),
            ([], ["CHOWN"], CapabilitySet.container.subtracting(CapabilitySet(rawValue: 1))),
            (["CHOWN"], ["CHOWN"], CapabilitySet.container),
        ] as [([String], [String], CapabilitySet)])
    func capabilities(_ added: [String], _ dropped: [String], _ set: CapabilitySet) throws {
        var request = SandboxRequest()
        try request.setCapabilities(adding: added, dropping: dropped)
        #expect(request.capabilities == set)
    }

    @Test(arguments: [
        ("/a/b", "/a/b"), ("a", "a"), ("system.slice", "/system.slice"),
        ("a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice"),
    ])
    func groupParent(_ text: String, _ path: String) throws {
        var request = SandboxRequest()
        try request.setGroupParent(text)
        #expect(request.groupParent == path)
    }
}
