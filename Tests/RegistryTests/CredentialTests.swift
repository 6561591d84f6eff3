import Diagnostics
import Foundation
import OCI
import Testing

@testable import Logins

@Suite struct CredentialTests {
    private static let file = #"""
        {
          "auths": {
            "https://index.docker.io/v1/": {"auth": "aHViOnBhc3M6d29yZA=="},
            "r.test": {"username": "u", "password": "p"},
            "r.test/team": {"auth": "dGVhbTp0"},
            "r.test/team/app": {"identitytoken": "idt", "auth": "PHRva2VuPjo="},
            "https://old.test/v2/": {"auth": "bzpwAAA="},
            "marker.test": {},
            "port.test:5000": {"registrytoken": "rt"},
            "broken.test": {"auth": "!!"}
          },
          "credsStore": "all",
          "credHelpers": {"helped.test": "special"}
        }
        """#

    struct Case: Sendable, CustomTestStringConvertible {
        let registry: String
        let repository: String
        let expected: CredentialFile.Entry?
        var testDescription: String { "\(registry)/\(repository)" }

        init(_ registry: String, _ repository: String, _ expected: CredentialFile.Entry?) {
            self.registry = registry
            self.repository = repository
            self.expected = expected
        }
    }

    @Test(arguments: [
        Case("docker.io", "library/debian", .credential(.password(user: "hub", password: "pass:word"))),
        Case("r.test", "other/app", .credential(.password(user: "u", password: "p"))),
        Case("r.test", "team/x", .credential(.password(user: "team", password: "t"))),
        Case("r.test", "teammate/x", .credential(.password(user: "u", password: "p"))),
        Case("r.test", "team/app", .credential(.identityToken("idt"))),
        Case("old.test", "a", .credential(.password(user: "o", password: "p"))),
        Case("marker.test", "a", .helper("all", server: "marker.test")),
        Case("port.test:5000", "a", .credential(.registryToken("rt"))),
        Case("port.test", "a", .helper("all", server: "port.test")),
        Case("helped.test", "a", .helper("special", server: "helped.test")),
    ])
    func entries(_ example: Case) throws {
        let file = CredentialFile(json: try JSON(parsing: Self.file), path: "config.json")
        #expect(try file.entry(for: example.registry, repository: example.repository) == example.expected)
    }

    @Test func hubAsksHelpersByItsOldName() throws {
        let file = CredentialFile(json: try JSON(parsing: #"{"credsStore":"all"}"#), path: "config.json")
        #expect(
            try file.entry(for: "docker.io", repository: "a/b")
                == .helper("all", server: "https://index.docker.io/v1/"))
        let empty = CredentialFile(json: try JSON(parsing: "{}"), path: "config.json")
        #expect(try empty.entry(for: "docker.io", repository: "a/b") == nil)
    }

    @Test func brokenEntryIsSaidSo() throws {
        let file = CredentialFile(json: try JSON(parsing: Self.file), path: "config.json")
        let error = #expect(throws: LoginsError.self) { try file.entry(for: "broken.test", repository: "a") }
        #expect(error?.code == .credentials)
    }

    @Test func searchesTheFilesInOrder() async throws {
        try await withDirectory { directory in
            let files = [
                "auth.json": #"{"auths":{"one.test":{"username":"first","password":"p"}}}"#,
                "docker/config.json": #"""
                {"auths":{"one.test":{"username":"second","password":"p"},
                "two.test":{"username":"second","password":"p"}}}
                """#,
                ".config/containers/auth.json": #"{"auths":{"three.test":{"username":"third","password":"p"}}}"#,
            ]
            for (name, text) in files { try write(text, to: "\(directory)/\(name)") }
            let credentials = CredentialFiles(environment: [
                "HOME": directory, "DOCKER_CONFIG": "\(directory)/docker",
                "REGISTRY_AUTH_FILE": "\(directory)/auth.json",
            ])
            for (registry, user) in [("one.test", "first"), ("two.test", "second"), ("three.test", "third")] {
                let found = try await credentials.credential(for: registry, repository: "a")
                #expect(found == .password(user: user, password: "p"))
            }
            #expect(try await credentials.credential(for: "four.test", repository: "a") == nil)
        }
    }

    @Test("DOCKER_AUTH_CONFIG comes before all files, a file that is named is the only place")
    func inlineLogins() async throws {
        try await withDirectory { directory in
            try write(#"{"auths":{"r.test":{"username":"file","password":"p"}}}"#, to: "\(directory)/config.json")
            try write(#"{"auths":{"r.test":{"username":"named","password":"p"}}}"#, to: "\(directory)/named.json")
            var environment = ["DOCKER_CONFIG": directory]
            for (inline, user) in [
                (nil, "file"), ("", "file"), ("{nonsense", "file"), ("[]", "file"), ("{}", "file"),
                (#"{"auths":{"r.test":{"auth":"aW5saW5lOnA="}}}"#, "inline"),
                (#"{"credsStore":"no-such-thing","auths":{}}"#, "file"),
            ] {
                environment["DOCKER_AUTH_CONFIG"] = inline
                let found = try await CredentialFiles(environment: environment)
                    .credential(for: "r.test", repository: "a")
                #expect(found == .password(user: user, password: "p"))
                let named = try await CredentialFiles(environment: environment, authFile: "\(directory)/named.json")
                    .credential(for: "r.test", repository: "a")
                #expect(named == .password(user: "named", password: "p"))
            }
        }
    }

    @Test func unreadableFileIsSaidSo() async throws {
        try await withDirectory { directory in
            try write("{nonsense", to: "\(directory)/config.json")
            let error = try await loginsError {
                _ = try await CredentialFiles(environment: ["DOCKER_CONFIG": directory])
                    .credential(for: "r.test", repository: "a")
            }
            #expect(error?.code == .credentials)
            #expect(error?.message.contains("\(directory)/config.json") == true)
        }
    }

    @Test func descriptionsKeepSecrets() {
        let secrets: [Credential] = [
            .password(user: "u", password: "hidden"), .identityToken("hidden"), .registryToken("hidden"),
        ]
        for secret in secrets { #expect(!"\(secret)".contains("hidden")) }
    }

    struct HelperCase: Sendable {
        let name: String
        let expected: Credential?
        let complaint: String?
    }

    @Test(arguments: [
        HelperCase(name: "login", expected: .password(user: "get-r.test", password: "x"), complaint: nil),
        HelperCase(name: "token", expected: .identityToken("idt"), complaint: nil),
        HelperCase(name: "empty", expected: nil, complaint: nil),
        HelperCase(name: "sealed", expected: nil, complaint: "the vault is sealed"),
        HelperCase(name: "silent", expected: nil, complaint: "exit code 7"),
        HelperCase(name: "killed", expected: nil, complaint: "exit code 137"),
        HelperCase(name: "chatty", expected: nil, complaint: "not the JSON expected"),
        HelperCase(name: "endless", expected: nil, complaint: "more than 1 MiB"),
    ])
    func helpers(_ example: HelperCase) throws {
        // Tests run at once and start processes: a script written here could not be run while one holds it open.
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = root.appendingPathComponent("testdata/registry/helpers/docker-credential-\(example.name)").path
        let helper = CredentialHelper(name: example.name, program: path, environment: ["PATH": "/usr/bin:/bin"])
        if let complaint = example.complaint {
            let error = #expect(throws: LoginsError.self) { try helper.credential(for: "r.test") }
            #expect(error?.code == .credentials)
            #expect(error?.message.contains(complaint) == true)
        } else {
            #expect(try helper.credential(for: "r.test") == example.expected)
        }
    }

    @Test func missingHelperIsSaidSo() {
        let helper = CredentialHelper(name: "no-such-thing", environment: [:])
        let error = #expect(throws: LoginsError.self) { try helper.credential(for: "r.test") }
        #expect(error?.message.contains("docker-credential-no-such-thing' failed: it is not installed") == true)
    }
}

/// Runs `body` with the path of a directory that is removed afterwards.
func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("registry-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try await body(url.path)
}

func write(_ text: String, to path: String) throws {
    let url = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
}

/// Runs `body`, which must fail with an error of logins, and returns that.
func loginsError(_ body: () async throws -> Void) async throws -> LoginsError? {
    do {
        try await body()
        return nil
    } catch let error as LoginsError {
        return error
    }
}
