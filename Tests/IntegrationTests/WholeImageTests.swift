import Glibc
import SystemPackage
import Testing

/// Images of several platforms, with what refers to them, in and out of the store.
@Suite("Whole images", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct WholeImageTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let layout: String

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
        let context = try scratch.context(
            "FROM scratch\nARG TARGETARCH\nLABEL arch=$TARGETARCH\nCOPY Dockerfile /a\nENV K=v\n")
        layout = scratch.path.appending("layout").string
        try lamina.succeeding("build", "-q", "--platform", "linux/amd64,linux/arm64", "-t", "whole:1", context.string)
        try lamina.succeeding("copy", "-q", "whole:1", "oci:\(layout):v1")
    }

    /// A store of its own, which has nothing.
    private var other: Lamina {
        Lamina(root: scratch.path.appending("other")).with(["DOCKER_CONFIG": scratch.path.string])
    }

    private func blobs(in store: Lamina) throws -> Int {
        try expectSuccess("find", store.root.appending("blobs").string, "-type", "f").outputLines.count
    }

    @Test("pull --all-platforms brings all layers, and they are pushed on without the registry that they came from")
    func pullsAllPlatforms() throws {
        var digest = ""
        let target = scratch.path.appending("saved").string
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            try lamina.succeeding("copy", "-q", "oci:\(layout):v1", "docker://\(name)")
            digest = try lamina.succeeding("digest", name).trimmed
            let pulled = try other.succeeding("pull", "--all-platforms", name)
            #expect(pulled.outputText.contains("Digest: \(digest)"), "\(pulled.outputText)")
            try other.succeeding("tag", name, "kept:1")
        }
        try other.succeeding("copy", "-q", "--all", "--digestfile", "\(target).digest", "kept:1", "oci:\(target)")
        #expect(try text(of: FilePath("\(target).digest")) == digest)
        for platform in ["linux/amd64", "linux/arm64"] {
            let label = try other.succeeding(
                "inspect", "--platform", platform, "--format", "{{.Config.Labels.arch}}", "kept:1")
            #expect(platform.hasSuffix(label.trimmed))
        }
    }

    @Test("pull -a brings all tags of a repository, and wants no tag")
    func pullsAllTags() throws {
        try DockerRegistry.with(in: scratch) { registry in
            for tag in ["1", "2", "edge"] {
                try lamina.succeeding("copy", "-q", "oci:\(layout):v1", "docker://\(registry.name)/app:\(tag)")
            }
            try other.succeeding("pull", "-a", "\(registry.name)/app")
            let names = try other.succeeding("images", "--format", "{{.Tag}}").outputLines.sorted()
            #expect(names == ["1", "2", "edge"])
            let refused = try other("pull", "-a", "\(registry.name)/app:1")
            #expect(refused.status == 2 && refused.errorText.contains("tag can't be used with --all-tags/-a"))
            #expect(try other("pull", "-a", "\(registry.name)/no/such").status == 1)
        }
    }

    @Test("push -a sends all tags of a repository of the store, and wants no tag")
    func pushesAllTags() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let repository = "\(registry.name)/app"
            for name in ["\(repository):2", "\(repository):1", "\(registry.name)/other:3"] {
                try lamina.succeeding("tag", "whole:1", name)
            }
            let lines = try lamina.succeeding("push", "--all-tags", repository).outputLines
            #expect(lines.filter { $0.contains(": digest: ") }.map { $0.prefix(2) } == ["1:", "2:"])
            #expect(try lamina.succeeding("list-tags", repository).outputLines.sorted() == ["1", "2"])
            #expect(try lamina("list-tags", "\(registry.name)/other").status == 1)
            let refused = try lamina("push", "-a", "\(repository):1")
            #expect(refused.status == 2 && refused.errorText.contains("tag can't be used with --all-tags/-a"))
            let missing = try lamina("push", "-a", "\(registry.name)/none")
            #expect(missing.status == 1 && missing.errorText.contains("An image does not exist locally with the tag"))
        }
    }

    @Test("An index of the store leaves layers in their registry, builds on them, and is pushed")
    func createsIndexes() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "docker://\(registry.name)/app:1"
            try lamina.succeeding("copy", "-q", "oci:\(layout):v1", name)
            let manifest = try JSONValue(
                parsing: lamina.succeeding("inspect", "--raw", "oci:\(layout):v1").outputText)
            let layers = try (manifest["manifests"]?.array ?? []).flatMap { entry in
                let digest = entry["digest"]?.string?.dropFirst(7) ?? ""
                let text = try text(of: FilePath("\(layout)/blobs/sha256/\(digest)"))
                return try (JSONValue(parsing: text)["layers"]?.array ?? []).compactMap { $0["digest"]?.string }
            }
            #expect(!layers.isEmpty)
            let requests = try registry.requests {
                try other.succeeding("index", "create", "-q", "\(registry.name)/made:1", name)
            }
            for layer in layers {
                #expect(!requests.contains { $0.hasPrefix("GET") && $0.hasSuffix("/blobs/\(layer)") }, "\(requests)")
            }
            try other.succeeding("push", "\(registry.name)/made:1")
            #expect(
                try lamina.succeeding("digest", "\(registry.name)/made:1").trimmed
                    == lamina.succeeding("digest", "\(registry.name)/app:1").trimmed)
            let context = try scratch.context(
                "FROM \(registry.name)/made:1\nCOPY --from=\(registry.name)/made:1 /a /b\n")
            try other.build(context, "-t", "built:1")
            #expect(try other.succeeding("cat", "built:1", "/b").outputText.hasPrefix("FROM scratch"))
        }
    }

    /// Puts an artifact that refers to an image beside it, as a registry without a list of referrers keeps it.
    private func sign(_ name: String, in registry: DockerRegistry) throws -> String {
        let script = """
            import hashlib, json, sys, urllib.request
            base, name, subject, size = sys.argv[1:]
            def send(url, data, kind, method):
                request = urllib.request.Request(url, data=data, method=method, headers={'Content-Type': kind})
                return urllib.request.urlopen(request)
            def digest(data): return 'sha256:' + hashlib.sha256(data).hexdigest()
            def blob(data):
                place = send(f'{base}/v2/{name}/blobs/uploads/', b'', '', 'POST').headers['Location']
                send(place + ('&' if '?' in place else '?') + 'digest=' + digest(data), data, 'application/octet-stream', 'PUT')
                return {'mediaType': 'text/plain', 'digest': digest(data), 'size': len(data)}
            manifest = 'application/vnd.oci.image.manifest.v1+json'
            document = json.dumps({'schemaVersion': 2, 'mediaType': manifest, 'artifactType': 'application/x-signature',
                'config': dict(blob(b'{}'), mediaType='application/vnd.oci.empty.v1+json'), 'layers': [blob(b'signed')],
                'subject': {'mediaType': 'application/vnd.oci.image.index.v1+json', 'digest': subject, 'size': int(size)}
            }).encode()
            send(f'{base}/v2/{name}/manifests/{digest(document)}', document, manifest, 'PUT')
            index = 'application/vnd.oci.image.index.v1+json'
            list = json.dumps({'schemaVersion': 2, 'mediaType': index, 'manifests': [{'mediaType': manifest,
                'digest': digest(document), 'size': len(document), 'artifactType': 'application/x-signature'}]}).encode()
            send(f'{base}/v2/{name}/manifests/' + subject.replace(':', '-'), list, index, 'PUT')
            print(digest(document))
            """
        let raw = try lamina.succeeding("inspect", "--raw", "docker://\(registry.name)/\(name):1")
        let subject = try lamina.succeeding("digest", "\(registry.name)/\(name):1").trimmed
        return try expectSuccess(
            "python3", "-c", script, "http://\(registry.name)", name, subject, "\(raw.output.count)"
        ).trimmed
    }

    @Test("copy --referrers takes signatures along, through a layout and back")
    func copiesReferrers() throws {
        try DockerRegistry.with(in: scratch) { registry in
            try lamina.succeeding("copy", "-q", "oci:\(layout):v1", "docker://\(registry.name)/app:1")
            let signature = try sign("app", in: registry)
            let way = scratch.path.appending("way").string
            try lamina.succeeding("copy", "-q", "docker://\(registry.name)/app:1", "docker://\(registry.name)/plain:1")
            #expect(try lamina.succeeding("list-tags", "\(registry.name)/plain").outputLines == ["1"])
            try lamina.succeeding("copy", "-q", "--referrers", "docker://\(registry.name)/app:1", "oci:\(way):v1")
            try lamina.succeeding("copy", "-q", "--referrers", "oci:\(way)", "docker://\(registry.name)/back:1")
            #expect(try lamina.succeeding("digest", "\(registry.name)/back@\(signature)").trimmed == signature)
            #expect(try lamina.succeeding("list-tags", "\(registry.name)/back").outputLines.count == 2)
            let changed = try lamina(
                "copy", "--referrers", "--format", "docker", "docker://\(registry.name)/app:1",
                "oci:\(scratch.path.appending("changed"))")
            #expect(changed.status == 1 && changed.errorText.contains("would be lost"), "\(changed.errorText)")
            for place in ["dir:\(scratch.path.appending("dir"))", "other:1"] {
                let refused = try lamina("copy", "--referrers", "docker://\(registry.name)/app:1", place)
                #expect(
                    refused.status == 1 && refused.errorText.contains("no place for what refers"),
                    "\(refused.errorText)")
            }
        }
    }

    @Test(
        "A file's image is inspected as skopeo does it, and its history is shown",
        .enabled(if: Machine.hasSkopeo, Machine.needsSkopeo),
        arguments: ["oci", "oci-archive", "docker-archive", "dir"])
    func inspectsFiles(_ transport: String) throws {
        let place = "\(transport):\(scratch.path.appending("file"))"
        try lamina.succeeding(
            "copy", "-q", "--platform", "linux/amd64", "oci:\(layout):v1",
            transport == "docker-archive" ? "\(place):app:1" : place)
        for options in [[], ["--config"], ["--raw"]] {
            let ours = try lamina.succeeding(["inspect"] + options + [place]).outputText
            let theirs = try RunningProcess(["skopeo", "inspect"] + options + [place]).wait().outputText
            // An archive of Docker's has no manifest, and the one that skopeo makes has layers without compression.
            if transport == "docker-archive", options != ["--config"] {
                #expect(ours.contains("\"Env\"") || options == ["--raw"])
            } else {
                let (mine, other) = (try JSONValue(parsing: ours), try JSONValue(parsing: theirs))
                // Older versions of skopeo do not print all of the first document.
                let keys = ["Name", "Digest", "RepoTags", "Created", "Labels", "Architecture", "Os", "Layers", "Env"]
                let isEqual = options.isEmpty ? keys.allSatisfy { mine[$0] == other[$0] } : mine == other
                #expect(isEqual, "\(options): \(ours) \(theirs)")
            }
        }
        let history = try lamina.succeeding("history", "--no-trunc", place).outputText
        #expect(history.contains("COPY Dockerfile /a"), "\(history)")
        #expect(try lamina.succeeding("analyze", "--format", "json", place).outputText.contains("\"layers\""))
    }

    @Test("import takes an archive from the web, also through a redirect and a broken transfer")
    func importsFromTheWeb() throws {
        let tree = scratch.path.appending("tree")
        try expectSuccess("sh", "-c", "mkdir -p \(tree)/etc && head -c 3000000 /dev/urandom > \(tree)/etc/data")
        let archive = scratch.path.appending("root.tar.gz").string
        try expectSuccess("tar", "-C", tree.string, "-czf", archive, ".")
        let port = try DockerRegistry.freePort()
        let script = """
            import http.server, sys
            data, broken = open(sys.argv[1], 'rb').read(), [True]
            class Handler(http.server.BaseHTTPRequestHandler):
                def log_message(self, *arguments): pass
                def do_GET(self):
                    if self.path == '/moved':
                        self.send_response(302); self.send_header('Location', '/root.tar.gz'); self.end_headers(); return
                    if self.path != '/root.tar.gz': self.send_error(404); return
                    self.send_response(200); self.send_header('Content-Length', str(len(data))); self.end_headers()
                    if broken: broken.clear(); self.wfile.write(data[:100000]); return
                    self.wfile.write(data)
            http.server.HTTPServer(('127.0.0.1', \(port)), Handler).serve_forever()
            """
        let server = try RunningProcess(["python3", "-c", script, archive])
        defer {
            server.send(SIGTERM)
            _ = try? server.wait(limit: .seconds(10))
        }
        let probe = "import socket; socket.create_connection(('127.0.0.1', \(port)), 1)"
        try wait(until: { try run("python3", "-c", probe).status == 0 })
        let url = "http://127.0.0.1:\(port)"
        try lamina.succeeding("import", "\(url)/moved", "web:1")
        let comment = try lamina.succeeding("history", "--format", "{{.Comment}}", "web:1").trimmed
        #expect(comment == "Imported from \(url)/moved")
        let file = try lamina.succeeding("cat", "web:1", "/etc/data").output
        #expect(file.count == 3_000_000)
        let missing = try lamina("import", "\(url)/no-such", "web:2")
        #expect(missing.status == 1 && missing.errorText.contains("404"), "\(missing.errorText)")
    }
}
