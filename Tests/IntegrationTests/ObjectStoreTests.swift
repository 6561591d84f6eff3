import Glibc
import SystemPackage
import Testing

/// Caches in an object store, which a server of Python's moto package stands for.
@Suite(
    "Object store",
    .enabled(
        if: Machine.isRoot && MotoServer.program != nil,
        "needs root and moto_server, which scripts/install-moto gets from pip"))
struct ObjectStoreTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Runs `body` with the endpoint of a server that has one bucket, `cache`.
    private func withServer(_ body: (String) throws -> Void) throws {
        let port = try DockerRegistry.freePort()
        let program = try #require(MotoServer.program)
        let process = try RunningProcess([program, "-H", "127.0.0.1", "-p", "\(port)"])
        defer {
            process.send(SIGTERM)
            _ = try? process.wait(limit: .seconds(10))
        }
        let endpoint = "http://127.0.0.1:\(port)"
        let script = """
            import sys, urllib.request as u
            u.urlopen(u.Request(sys.argv[1] + '/cache', method='PUT'), timeout=2)
            """
        try wait(until: { try run("python3", "-c", script, endpoint).status == 0 })
        try body(endpoint)
    }

    private func store(_ name: String) -> Lamina {
        Lamina(root: scratch.path.appending(name)).with([
            "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
            "AWS_BUCKET": "cache",
        ])
    }

    /// The names of the objects in the bucket.
    private func objects(_ endpoint: String) throws -> [String] {
        let script = """
            import re, sys, urllib.request as u
            print('\\n'.join(re.findall('<Key>(.*?)</Key>', u.urlopen(sys.argv[1] + '/cache?list-type=2').read().decode())))
            """
        return try expectSuccess("python3", "-c", script, endpoint).outputLines
    }

    @Test func anotherStoreBuildsFromTheBucket() throws {
        let context = try scratch.context("FROM lamina/base\nRUN echo one > /one && echo ran-one\nCOPY Dockerfile /d\n")
        try withServer { endpoint in
            let spec = "type=s3,endpoint_url=\(endpoint),use_path_style=true,prefix=team/,name=app;copy"
            let one = store("one")
            try one.build(context, "-t", "app", "--cache-to", "\(spec),mode=max")
            let names = try objects(endpoint)
            #expect(names.count { $0.hasPrefix("team/manifests/") } == 2, "\(names)")
            // Two layers and the records.
            #expect(names.count { $0.hasPrefix("team/blobs/sha256:") } == 3, "\(names)")

            let two = store("two")
            let second = try two("build", "--progress", "plain", "-t", "app", "--cache-from", spec, context.string)
            #expect(second.status == 0, "\(second.errorText)")
            #expect(second.errorText.contains("echo ran-one\n") && second.errorText.contains("CACHED"))
            #expect(!second.errorLines.contains { $0.hasSuffix(" ran-one") && !$0.contains("RUN") })
            #expect(second.errorText.contains("importing cache manifest from s3://cache/team/manifests/app"))
            #expect(!second.errorText.contains("secret"))
            // What is left in the bucket is fetched by a later command, too.
            let archives = try [one, two].map { store in
                let file = scratch.path.appending("\(store.root.lastComponent?.string ?? "").tar")
                try store.succeeding("save", "-o", file.string, "app")
                return try contents(of: file)
            }
            #expect(archives[0] == archives[1])

            // Nothing new, nothing written but the manifests.
            try one.build(context, "--cache-to", "\(spec),mode=max")
            #expect(try objects(endpoint) == names)
        }
    }

    @Test func saysWhatIsMissing() throws {
        let context = try scratch.context("FROM lamina/base\nRUN true\n")
        try withServer { endpoint in
            let spec = "type=s3,endpoint_url=\(endpoint),use_path_style=true"
            let absent = try store("one")("build", "--progress", "plain", "--cache-from", spec, context.string)
            #expect(absent.status == 0)
            #expect(absent.errorText.contains("s3://cache has no manifests/lamina"), "\(absent.errorText)")
            let nowhere = try store("one")("build", "--cache-to", "\(spec),bucket=nowhere", context.string)
            #expect(nowhere.status == 1)
            #expect(nowhere.errorText.contains("NoSuchBucket"), "\(nowhere.errorText)")
            let nobody = store("one").with(["AWS_BUCKET": "cache", "AWS_REGION": "x", "AWS_ACCESS_KEY_ID": ""])
            let refused = try nobody("build", "--cache-to", spec, context.string)
            #expect(refused.status == 1)
            #expect(refused.errorText.contains("there are no credentials for s3://cache"), "\(refused.errorText)")
        }
    }
}

/// The server that stands for an object store.
private enum MotoServer {
    /// The one of the machine, or the one that scripts/install-moto has made.
    static let program: String? = {
        if Machine.has("moto_server") { return "moto_server" }
        let caches = environmentVariable("XDG_CACHE_HOME") ?? "\(environmentVariable("HOME") ?? "")/.cache"
        let cache = environmentVariable("LAMINA_TEST_CACHE") ?? "\(caches)/lamina-tests"
        let program = "\(cache)/moto/bin/moto_server"
        return unsafe access(program, X_OK) == 0 ? program : nil
    }()
}
