import Diagnostics
import OCI
import Testing

@Suite struct ImageReferenceTests {
    static let digest = "sha256:" + String(repeating: "a", count: 64)

    @Test(arguments: [
        ("debian", "docker.io/library/debian:latest", "debian:latest"),
        ("debian:12", "docker.io/library/debian:12", "debian:12"),
        ("index.docker.io/x", "docker.io/library/x:latest", "x:latest"),
        ("me/app", "docker.io/me/app:latest", "me/app:latest"),
        ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
        ("localhost", "docker.io/library/localhost:latest", "localhost:latest"),
        ("localhost:5000/a/b:1.0_x", "localhost:5000/a/b:1.0_x", "localhost:5000/a/b:1.0_x"),
        ("example.com/a__b/c--d", "example.com/a__b/c--d:latest", "example.com/a__b/c--d:latest"),
        ("[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"),
        ("x@\(digest)", "docker.io/library/x@\(digest)", "x@\(digest)"),
        ("x:1@\(digest)", "docker.io/library/x:1@\(digest)", "x:1@\(digest)"),
    ])
    func normalises(_ text: String, _ full: String, _ familiar: String) throws {
        let reference = try ImageReference(parsing: text)
        #expect(reference.description == full)
        #expect(reference.familiar == familiar)
        #expect(try ImageReference(parsing: full) == reference)
    }

    @Test(
        "A malformed image name is refused",
        arguments: [
            "", ":", "a:", "a:b:c/", "/a", "a//b", "a/", "a.", "-a", "a..b", "a___b", "Foo", "x@sha256:1", "a b",
            "a:-x",
            "x:" + String(repeating: "t", count: 129), String(repeating: "a", count: 64), "exa_mple.com/x",
            "e.com/" + String(repeating: "a", count: 256),
        ])
    func refuses(_ text: String) {
        #expect(throws: ReferenceError.self) { try ImageReference(parsing: text) }
    }

    @Test func saysThatNamesAreLowercase() throws {
        let error = #expect(throws: ReferenceError.self) { try ImageReference(parsing: "Foo") }
        #expect(error?.message == "invalid reference format: repository name (library/Foo) must be lowercase")
    }
}
