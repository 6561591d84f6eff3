import Diagnostics
import OCI
import Testing

@testable import Transports

@Suite("Names of images with transports") struct ImageLocationTests {
    private static let digest = "sha256:" + String(repeating: "a", count: 64)

    @Test(arguments: [
        ("docker://debian:12", "docker://docker.io/library/debian:12"),
        ("docker://localhost:5000/a/b@\(digest)", "docker://localhost:5000/a/b@\(digest)"),
        ("oci:/var/layout", "oci:/var/layout"), ("oci:layout:1.0", "oci:layout:1.0"),
        ("oci:layout:docker.io/library/app:1", "oci:layout:docker.io/library/app:1"),
        ("oci-layout:layout:@0", "oci:layout:@0"), ("ocidir://layout:1", "oci:layout:1"),
        ("oci:layout:@\(digest)", "oci:layout:@\(digest)"),
        ("oci-archive:a.tar", "oci-archive:a.tar"), ("oci-archive:/x/a.tar:tag", "oci-archive:/x/a.tar:tag"),
        ("docker-archive:a.tar:app:1", "docker-archive:a.tar:app:1"), ("docker-archive:-", "docker-archive:-"),
        ("dir:/tmp/a:b", "dir:/tmp/a:b"), ("lamina:oci:1", "oci:1"), ("app", "app"), ("app:1", "app:1"),
        ("docker:24-dind", "docker:24-dind"), ("localhost:5000/app:1", "localhost:5000/app:1"),
        ("sha256:aa", "sha256:aa"),
    ])
    func namesAreRead(_ text: String, _ expected: String) throws {
        #expect(try ImageLocation(parsing: text).description == expected)
    }

    @Test(arguments: [
        ("", "is empty"), ("oci:", "needs the path"), ("oci-archive::tag", "needs the path"),
        ("dir:", "needs the path"),
        ("docker-archive:a.tar:", "ends with a colon"), ("oci:a:@x", "is not a digest"),
        ("docker:/app", "docker://NAME"), ("docker-daemon:app:1", "speaks to no daemon"),
        ("containers-storage:app", "storage of Podman"), ("oci-archve:a.tar", "no transport 'oci-archve:'"),
        ("ftp://a/b", "no transport 'ftp://'"), ("docker://UPPER", "lowercase"), ("lamina:", "names no image"),
    ])
    func wrongNamesHaveASentence(_ text: String, _ message: String) {
        let error = #expect(throws: (any Error).self) { try ImageLocation(parsing: text) }
        let shown = (error as? any AnyFailure)?.message ?? ""
        #expect(shown.contains(message) || ((error as? any AnyFailure)?.hint ?? "").contains(message), "\(shown)")
    }
}
