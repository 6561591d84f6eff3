import Testing

@testable import OCI

@Suite struct ImageNameTests {
    @Test(
        "A name is short when nothing before the first slash can be a registry",
        arguments: [
            ("app", "app"), ("app:1", "app"), ("team/app", "team/app"), ("team/app:1.2", "team/app"),
            ("library/app", "library/app"), ("a/b/c", "a/b/c"),
            ("app@sha256:\(String(repeating: "a", count: 64))", "app"),
            ("app:1@sha256:\(String(repeating: "a", count: 64))", "app"),
            ("localhost", "localhost"), ("example.com", "example.com"),
            ("localhost/app", nil), ("host:5000/app", nil), ("host:5000/app:1", nil), ("r.test/app", nil),
            ("docker.io/app", nil), ("docker.io/library/app", nil), ("[::1]:5000/app", nil),
        ] as [(String, String?)])
    func shortNames(_ text: String, _ expected: String?) throws {
        let name = try ImageName(parsing: text)
        #expect(name.shortName == expected)
        #expect(try name.reference == ImageReference(parsing: text))
        #expect(ImageName(name.reference).shortName == nil)
    }

    @Test func aNameThatDockerRefusesIsRefused() {
        #expect(throws: ReferenceError.self) { try ImageName(parsing: "team/App") }
    }
}
