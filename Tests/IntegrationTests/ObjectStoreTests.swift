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

    /// Makes somebody who may do everything, gives the credentials, and puts a file into the bucket. Then
    /// the server begins to look at signatures.
    private func putAsSomebody(_ file: FilePath, _ key: String, _ endpoint: String) throws -> [String] {
        let script = """
            import json, re, sys, urllib.parse as p, urllib.request as u
            endpoint, key, file = sys.argv[1:]
            scope = 'AWS4-HMAC-SHA256 Credential=x/20300101/us-east-1/iam/aws4_request'
            def iam(action, **fields):
                body = p.urlencode(dict(fields, Action=action, Version='2010-05-08', UserName='u')).encode()
                return u.urlopen(u.Request(endpoint, data=body, headers={'Authorization': scope}), timeout=60).read().decode()
            iam('CreateUser')
            all = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}
            iam('PutUserPolicy', PolicyName='all', PolicyDocument=json.dumps(all))
            made = iam('CreateAccessKey')
            def send(method, path, body):
                plain = {'Content-Type': 'application/octet-stream'}
                u.urlopen(u.Request(endpoint + path, data=body, method=method, headers=plain), timeout=60)
            send('PUT', '/cache/' + p.quote(key), open(file, 'rb').read())
            send('POST', '/moto-api/reset-auth', b'0')
            for name in ['AccessKeyId', 'SecretAccessKey']: print(re.search(f'<{name}>(.*?)</{name}>', made)[1])
            """
        return try expectSuccess("python3", "-c", script, endpoint, key, file.string).outputLines
    }

    /// The variables of kaniko's own documentation for a store other than Amazon's.
    @Test func kanikosContextComesFromTheBucket() throws {
        let context = try scratch.context("FROM scratch\nCOPY . /\n")
        try scratch.write("one", to: "context/sub/file")
        try scratch.write("FROM scratch\nCOPY file /\n", to: "context/sub/Dockerfile")
        let archive = scratch.path.appending("context.tar.gz")
        try expectSuccess("tar", "-C", context.string, "-czf", archive.string, ".")
        try withServer { endpoint in
            let keys = try putAsSomebody(archive, "builds/team a/context.tar.gz", endpoint)
            let variables = [
                "S3_ENDPOINT": endpoint, "S3_FORCE_PATH_STYLE": "true", "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1], "DOCKER_CONFIG": scratch.path.string,
            ]
            let lamina = store("one").with(variables)
            let place = "s3://cache/builds/team a/context.tar.gz"
            try lamina.succeeding(
                "executor", "--no-push", "-c", place, "-d", "all", "--tar-path", scratch.path.appending("a.tar").string)
            #expect(try lamina.succeeding("cat", "all", "/sub/file").outputText == "one")
            try lamina.succeeding(
                "executor", "--no-push", "-c", place, "--context-sub-path=sub", "-d", "part", "--tar-path",
                scratch.path.appending("b.tar").string)
            #expect(try lamina.succeeding("cat", "part", "/file").outputText == "one")
            // The store says why, and no secret is shown.
            let absent = try lamina("executor", "--no-push", "-c", "s3://cache/none.tar.gz")
            #expect(absent.status == 1 && absent.errorText.contains("NoSuchKey"), "\(absent.errorText)")
            let nowhere = try lamina("executor", "--no-push", "-c", "s3://nowhere/context.tar.gz")
            #expect(nowhere.status == 1 && nowhere.errorText.contains("NoSuchBucket"), "\(nowhere.errorText)")
            let forged = try lamina.with(variables.merging(["AWS_SECRET_ACCESS_KEY": "guessed-secret"]) { $1 })(
                "executor", "--no-push", "-c", place)
            #expect(forged.status == 1 && forged.errorText.contains("SignatureDoesNotMatch"), "\(forged.errorText)")
            #expect(!forged.errorText.contains("guessed-secret") && !absent.errorText.contains(keys[1]))
            #expect(try lamina.unfinished() == [])
        }
    }

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
