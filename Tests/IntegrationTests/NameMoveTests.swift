import SystemPackage
import Testing

/// Names of images that move while something is done with the image, or that must not move.
@Suite("Names that move", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct NameMoveTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
    }

    private func id(_ name: String, in store: Lamina) throws -> String {
        try store.succeeding("inspect", "--format", "{{.Id}}", name).trimmed
    }

    @Test("A layer that is going to be pushed is compressed while a later step runs; a failed build pushes nothing")
    func compressesWhileStepsRun() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/early:1"
            for (ending, status) in [("exit 3", Int32(1)), ("true", 0)] {
                let root = scratch.path.appending("store-\(status)")
                let store = Lamina(root: root).with(["DOCKER_CONFIG": scratch.path.string])
                try expectSuccess("rm", "-f", scratch.path.appending("gate/open").string)
                let context = try scratch.context(
                    "FROM scratch\nCOPY Dockerfile /a\nFROM lamina/base\nCOPY --from=0 /a /a\n"
                        + "RUN \(Gate.pass) && \(ending)\n", named: "early")
                let gate = try Gate(in: scratch)
                let build = try store.start(
                    ["build", "-t", name, "-o", "type=registry"] + gate.options + [context.string])
                let hasCompressed = """
                    for blob in "$0"/blobs/sha256/*; do [ "$(od -An -tx1 -N2 "$blob")" != ' 1f 8b' ] || exit 0; done
                    exit 1
                    """
                try wait(until: { try run("sh", "-c", hasCompressed, root.string).status == 0 })
                try gate.open()
                let built = try build.wait()
                #expect(built.status == status, "\(built.errorText)")
                let pushed = try run("skopeo", "inspect", "--tls-verify=false", "docker://\(name)")
                #expect((pushed.status == 0) == (status == 0), "\(pushed.errorText)")
            }
        }
    }

    @Test("A build pushes the image that it made, though its name belongs to another image by then")
    func pushesItsOwnImage() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            let mine = try scratch.context("FROM lamina/base\nRUN echo mine > /t\n", named: "mine")
            let other = try scratch.context("FROM lamina/base\nRUN echo other > /t\n", named: "other")
            let otherID = try lamina.build(other, "-t", "other")
            // The second output waits for a reader, so the push comes when this test wants it to.
            let pipe = scratch.path.appending("pipe")
            try expectSuccess("mkfifo", pipe.string)
            let build = try lamina.start([
                "build", "-q", "-t", name, "-o", "type=image", "-o", "type=tar,dest=\(pipe)", "-o", "type=registry",
                mine.string,
            ])
            try wait(until: { try lamina("inspect", "--format", "{{.Id}}", name).status == 0 })
            let mineID = try id(name, in: lamina)
            #expect(mineID != otherID)
            try lamina.succeeding("tag", "other", name)
            try expectSuccess("sh", "-c", "cat '\(pipe)' > /dev/null")
            let built = try build.wait()
            #expect(built.status == 0, "\(built.errorText)")

            let fresh = Lamina(root: scratch.path.appending("fresh")).with(lamina.environment)
            try fresh.succeeding("pull", name)
            #expect(try id(name, in: fresh) == mineID)
            #expect(try id(name, in: lamina) == otherID)
        }
    }

    @Test("A pull that fails leaves the name with the image that had it, and no image behind")
    func keepsTheNameOnFailure() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            let publisher = Lamina(root: scratch.path.appending("publisher")).with(lamina.environment)
            try publisher.build(try scratch.context("FROM scratch\nCOPY <<EOF /t\none\nEOF\n"), "-t", name, "--push")
            try lamina.succeeding("pull", name)
            let before = try id(name, in: lamina)
            let images = try lamina.succeeding("images", "-q", "--no-trunc").outputLines

            try publisher.build(try scratch.context("FROM scratch\nCOPY <<EOF /t\ntwo\nEOF\n"), "-t", name, "--push")
            let layer = try publisher.succeeding(
                "inspect", "--format", "{{index .RootFS.Layers 0}}", name
            ).trimmed
            let manifest = try expectSuccess(
                "python3", "-c",
                """
                import json, urllib.request
                request = urllib.request.Request('http://\(registry.name)/v2/app/manifests/1',
                    headers={'Accept': 'application/vnd.oci.image.manifest.v1+json'})
                print(json.load(urllib.request.urlopen(request))['layers'][0]['digest'])
                """)
            #expect(layer.hasPrefix("sha256:"))
            try DockerRegistry.remove(manifest.trimmed, in: scratch)
            #expect(try lamina("pull", name).status == 1)
            #expect(try id(name, in: lamina) == before)
            #expect(try lamina.succeeding("images", "-q", "--no-trunc").outputLines == images)
            #expect(try lamina.succeeding("fsck").outputText.hasSuffix("The store is whole.\n"))
        }
    }

    @Test("Of an index, a build takes the best entry for its platform, whichever is in the store")
    func takesTheBestEntryOfAnIndex() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let publisher = Lamina(root: scratch.path.appending("publisher")).with(lamina.environment)
            let platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7"]
            for (index, platform) in platforms.enumerated() {
                let context = try scratch.context("FROM scratch\nCOPY <<EOF /t\n\(platform)\nEOF\n")
                try publisher.build(
                    context, "--platform", platform, "-t", "\(registry.name)/base:p\(index)", "--push")
            }
            try expectSuccess(
                "python3", "-c",
                """
                import hashlib, json, sys, urllib.request
                root = 'http://\(registry.name)/v2/base/manifests/'
                type = 'application/vnd.oci.image.manifest.v1+json'
                entries = []
                for number, platform in enumerate(sys.argv[1:]):
                    request = urllib.request.Request(root + 'p%d' % number, headers={'Accept': type})
                    bytes = urllib.request.urlopen(request).read()
                    os, architecture, *variant = platform.split('/')
                    described = {'os': os, 'architecture': architecture}
                    if variant: described['variant'] = variant[0]
                    entries.append({'mediaType': type, 'digest': 'sha256:' + hashlib.sha256(bytes).hexdigest(),
                        'size': len(bytes), 'platform': described})
                type = 'application/vnd.oci.image.index.v1+json'
                index = json.dumps({'schemaVersion': 2, 'mediaType': type, 'manifests': entries}).encode()
                urllib.request.urlopen(urllib.request.Request(root + 'all', data=index, method='PUT',
                    headers={'Content-Type': type}))
                """, platforms[0], platforms[1], platforms[2])
            let context = try scratch.context("FROM \(registry.name)/base:all\nLABEL a=b\n")
            for platform in ["linux/arm/v7", "linux/arm64", "linux/amd64", "linux/arm/v7"] {
                let out = scratch.path.appending("out")
                try lamina.build(context, "--platform", platform, "-o", out.string)
                #expect(try text(of: out.appending("t")) == "\(platform)\n")
            }
        }
    }
}
