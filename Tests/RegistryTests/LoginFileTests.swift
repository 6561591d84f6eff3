import Foundation
import OCI
import Testing

@testable import Logins

@Suite struct LoginFileTests {
    private let password = LoginFile.Login(user: "u", .password(user: "u", password: "p:q"))

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("A new file is made for its owner alone, in Docker's form")
    func newFile() async throws {
        try await withDirectory { directory in
            let file = try LoginFile(environment: ["DOCKER_CONFIG": "\(directory)/a/b"], authFile: nil)
            #expect(try file.store(password, for: "r.test:5000") == .file("\(directory)/a/b/config.json"))
            #expect(
                try text(file.path)
                    == "{\n\t\"auths\": {\n\t\t\"r.test:5000\": {\n\t\t\t\"auth\": \"dTpwOnE=\"\n\t\t}\n\t}\n}")
            #expect(try mode(file.path) == 0o600)
            let found = try await CredentialFiles(environment: ["DOCKER_CONFIG": "\(directory)/a/b"])
                .credential(for: "r.test:5000", repository: "x")
            #expect(found == .password(user: "u", password: "p:q"))
        }
    }

    @Test("The rest of a file, its mode and a link to it stay")
    func existingFile() async throws {
        try await withDirectory { directory in
            try write(
                #"{"psFormat":"x","auths":{"https://r.test/v2/":{"auth":"b2xkOnA="},"s.test":{}}}"#,
                to: "\(directory)/real.json")
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(directory)/real.json")
            try FileManager.default.createSymbolicLink(
                atPath: "\(directory)/link.json", withDestinationPath: "real.json")
            let file = try LoginFile(environment: [:], authFile: "\(directory)/link.json")
            #expect(try file.user(of: "r.test") == "old")
            _ = try file.store(LoginFile.Login(user: "u", .identityToken("idt")), for: "r.test")
            let json = try JSON(parsing: Array(text("\(directory)/real.json").utf8))
            #expect(json["psFormat"]?.string == "x")
            #expect(json["auths"]?.object?.keys == ["s.test", "r.test"])
            #expect(json["auths"]?["r.test"]?["identitytoken"]?.string == "idt")
            #expect(try mode("\(directory)/real.json") == 0o640)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: file.path) == "real.json")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 2)
        }
    }

    @Test("A login is erased by every name of its registry", arguments: ["r.test", "docker.io"])
    func erases(_ registry: String) async throws {
        try await withDirectory { directory in
            try write(
                #"{"auths":{"https://r.test":{},"r.test/team":{},"https://index.docker.io/v1/":{},"docker.io":{}}}"#,
                to: "\(directory)/auth.json")
            let file = try LoginFile(environment: ["REGISTRY_AUTH_FILE": "\(directory)/auth.json"], authFile: nil)
            #expect(try file.erase(registry))
            #expect(try !file.erase(registry))
            let left = try JSON(parsing: Array(text(file.path).utf8))["auths"]?.object?.keys
            let hub = ["https://index.docker.io/v1/", "docker.io"]
            #expect(left == (registry == "r.test" ? ["r.test/team"] + hub : ["https://r.test", "r.test/team"]))
        }
    }

    @Test func nothingIsErasedWithoutAFile() async throws {
        try await withDirectory { directory in
            let file = try LoginFile(environment: ["HOME": directory], authFile: nil)
            #expect(try !file.erase("r.test"))
            #expect(!FileManager.default.fileExists(atPath: "\(directory)/.docker"))
        }
    }

    @Test(arguments: [
        ("", "docker.io"), ("docker.io", "docker.io"), ("https://index.docker.io/v1/", "docker.io"),
        ("https://r.test/v2/", "r.test"), ("r.test:5000/team/app", "r.test:5000"), ("HTTP://r.test", "r.test"),
    ])
    func namesOfRegistries(_ text: String, _ registry: String) throws {
        #expect(try RegistryName.parsed(text) == registry)
    }

    @Test func nameThatIsNone() {
        #expect(throws: LoginsError.self) { try RegistryName.parsed("a b") }
    }
}
