import Diagnostics
import Linux
import Requests
import SystemPackage
import Testing
import Trees

/// The arguments of `--secret` and `--ssh`.
@Suite struct BuildSecretTests {
    private static let environment = ["TOKEN": "value", "known": "other"]

    @Test(arguments: [
        ("id=a,src=/dev/null", BuildSecret(id: "a", source: .file("/dev/null"))),
        ("ID=a,source=/dev/null,type=file", BuildSecret(id: "a", source: .file("/dev/null"))),
        ("id=a,env=TOKEN", BuildSecret(id: "a", source: .value("value"))),
        ("type=env,id=a,src=TOKEN", BuildSecret(id: "a", source: .value("value"))),
        ("id=known", BuildSecret(id: "known", source: .value("other"))),
        ("id=/dev/null", BuildSecret(id: "/dev/null", source: .file("/dev/null"))),
        ("id=a,env=UNSET", BuildSecret(id: "a", source: .value(""))),
        ("\"id=a,b\",env=TOKEN", BuildSecret(id: "a,b", source: .value("value"))),
    ])
    func parsed(_ text: String, _ secret: BuildSecret) throws {
        #expect(try BuildSecret.parse(text, environment: Self.environment) == secret)
    }

    @Test(
        "A malformed secret is refused",
        arguments: [
            ("src=/dev/null", "secret missing ID"), ("id", "invalid field 'id' must be a key=value pair"),
            ("id=a,sorce=b", "unexpected key 'sorce' in 'sorce=b'"),
            ("id=a,type=x", "unsupported secret type \"x\""),
            ("id=a,src=/no/such", "failed to stat /no/such: No such file or directory"),
            ("", "failed to parse csv secret: EOF"),
        ])
    func rejected(_ text: String, _ message: String) throws {
        let error = try #require(throws: RequestsError.self) {
            try BuildSecret.parse(text, environment: Self.environment)
        }
        #expect(error.code == .badSecret)
        #expect(error.message == message)
    }

    @Test("An agent is a socket; anything else is refused")
    func agents() throws {
        let name = PathBytes("agent-\(ProcessIdentity.current)")
        let directory = try Directory(opening: "/tmp")
        try directory.makeNode(name, .socket, permissions: 0o600)
        defer { try? directory.unlink(name) }
        let path = "/tmp/\(name)"
        let environment = ["SSH_AUTH_SOCK": path]
        let agent = AgentSocket(id: "", path: FilePath(path))
        #expect(try AgentSocket.parse("default", environment: environment) == agent)
        #expect(try AgentSocket.parse("default=\(path)", environment: [:]) == agent)
        #expect(try AgentSocket.parse("k=\(path)", environment: [:]) == AgentSocket(id: "k", path: FilePath(path)))
        let keys = AgentSocket(id: "k", path: "/etc/passwd", keys: ["/etc/passwd", "/etc/group"])
        #expect(try AgentSocket.parse("k=/etc/passwd,/etc/group", environment: [:]) == keys)
        for (text, code) in [
            ("default", RequestsCode.badAgent), ("k=/no/such", .badAgent), ("k=/etc", .badAgent),
        ] {
            let error = try #require(throws: RequestsError.self) { try AgentSocket.parse(text, environment: [:]) }
            #expect(error.code == code)
        }
    }
}
