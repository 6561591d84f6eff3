import Diagnostics
import Registry
import Requests
import SystemPackage
import Testing

/// The argument of a build: where its files are.
@Suite struct ContextLocationTests {
    private static let amazon = ["AWS_REGION": "eu-west-1"]
    private static let own = ["S3_ENDPOINT": "http://h:1", "S3_FORCE_PATH_STYLE": "true"]

    @Test(arguments: [
        ("dir:///a/b", ContextLocation.directory("/a/b")), ("a/b", .directory("a/b")), ("-", .standardInput),
        ("tar://stdin", .standardInput), ("tar:///a.tar.gz", .archive("/a.tar.gz")), ("tar://a.tar", .archive("a.tar")),
    ])
    func schemesOfKaniko(_ text: String, _ location: ContextLocation) throws {
        #expect(try ContextLocation(argument: text, keepsGitDirectory: false, environment: [:]) == location)
    }

    /// A context by name has buildx's forms alone.
    @Test(arguments: ["n=dir:///a", "n=tar://a.tar", "n=tar://stdin", "n=s3://b/k"])
    func contextsByNameHaveNoneOfThem(_ text: String) {
        let error = #expect(throws: RequestsError.self) { try NamedContext(parsing: text) }
        #expect(error?.message.hasPrefix("unsupported context source ") == true)
    }

    @Test(arguments: [
        ("s3://b/d/k.tar", amazon, "https://b.s3.eu-west-1.amazonaws.com/d/k.tar"),
        ("s3://b/k", ["AWS_DEFAULT_REGION": "x", "AWS_REGION": ""], "https://b.s3.x.amazonaws.com/k"),
        ("s3://b/k", own, "http://h:1/b/k"),
        ("s3://b/k", ["AWS_ENDPOINT_URL": "https://h", "S3_ENDPOINT": "http://other"], "https://b.h/k"),
    ])
    func anObjectIsInTheBucketOfTheEnvironment(_ text: String, _ environment: [String: String], _ url: String) throws {
        let object = try S3Object(parsing: text, environment: environment)
        #expect(try object.bucket.url(of: object.key).description == url)
        #expect("\(object)" == text)
    }

    @Test(arguments: [
        ("s3://", amazon), ("s3://b", amazon), ("s3://b/", amazon), ("s3:///k", amazon), ("s3://b/k", [:]),
        ("s3://b/k", ["S3_ENDPOINT": "nonsense"]),
    ])
    func whatIsNoObjectIsRefused(_ text: String, _ environment: [String: String]) {
        #expect(throws: (any Error).self) { try S3Object(parsing: text, environment: environment) }
    }
}
