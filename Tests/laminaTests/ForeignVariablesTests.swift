import Foundation
import Testing

@testable import lamina

@Suite struct ForeignVariablesTests {
    @Test(arguments: [
        "tcp://docker:2375", "ssh://user@host", "docker:2375", "http://h",
    ])
    func anotherMachineIsRefused(_ host: String) {
        let error = #expect(throws: CommandLineError.self) { try ForeignVariables.check(["DOCKER_HOST": host]) }
        #expect(error?.message.contains("'\(host)'") == true)
    }

    @Test(arguments: ["", "unix:///var/run/docker.sock", "unix:///run/user/1000/docker.sock", "fd://", "/run/d.sock"])
    func aSocketOfThisMachineHasNoEffect(_ host: String) throws {
        try ForeignVariables.check(["DOCKER_HOST": host])
        #expect(ForeignVariables.notes(["DOCKER_HOST": host]).isEmpty == host.isEmpty)
    }

    @Test func aPolicyIsRefused() {
        let error = #expect(throws: CommandLineError.self) {
            try ForeignVariables.check(["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": "policy.json"])
        }
        #expect(error?.message.hasPrefix("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY is set") == true)
    }

    @Test func onlyWhatIsSetIsSaid() {
        #expect(ForeignVariables.notes(["PATH": "/bin", "STORAGE_DRIVER": ""]).isEmpty)
        #expect(
            ForeignVariables.notes(["STORAGE_DRIVER": "vfs"]).map { String($0.prefix(29)) } == [
                "STORAGE_DRIVER has no effect:"
            ])
    }

    @Test func thePageNamesEveryVariable() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try String(contentsOfFile: "/\(root)/docs/environment.md", encoding: .utf8)
        for name in ForeignVariables.withoutEffect.map(\.name) { #expect(page.contains("`\(name)`"), "\(name)") }
    }
}
