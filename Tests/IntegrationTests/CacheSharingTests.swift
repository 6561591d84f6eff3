import SystemPackage
import Testing

/// Caches that stores share: what one has built, another need not.
@Suite("Shared caches", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct CacheSharingTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func store(_ name: String) -> Lamina {
        Lamina(root: scratch.path.appending(name)).with(["DOCKER_CONFIG": scratch.path.string])
    }

    /// A project of two stages, whose base is in the registry; what each RUN prints tells that it ran.
    private func project(_ registry: DockerRegistry) throws -> FilePath {
        let base = try scratch.context("FROM lamina/base\nRUN echo base > /base\n", named: "base")
        try store("maker").build(base, "-t", "\(registry.name)/base", "--push")
        try scratch.write("source\n", to: "project/src/a")
        return try scratch.context(
            """
            FROM \(registry.name)/base AS tools
            RUN echo tools > /tools && echo ran-tools
            COPY src /src
            RUN cat /src/* > /out && echo ran-build
            FROM \(registry.name)/base
            RUN echo final > /final && echo ran-final
            WORKDIR /w
            COPY --from=tools /out /w/out
            ENV A=1

            """, named: "project")
    }

    private func build(_ lamina: Lamina, _ context: FilePath, _ arguments: String...) throws -> Finished {
        let finished = try lamina.start(["build", "--progress", "plain"] + arguments + [context.string]).wait()
        guard finished.status == 0 else { throw CommandFailure(description: finished.errorText) }
        return finished
    }

    private func ran(_ finished: Finished) -> [String] {
        ["ran-tools", "ran-build", "ran-final"].filter { word in
            finished.errorLines.contains { $0.hasPrefix("#") && $0.hasSuffix(" \(word)") && !$0.contains("RUN") }
        }
    }

    private func layerReads(_ requests: [String]) -> [String] {
        requests.filter { $0.hasPrefix("GET") && $0.contains("/blobs/") }
    }

    private func archive(_ lamina: Lamina, _ name: String) throws -> [UInt8] {
        let file = scratch.path.appending("\(lamina.root.lastComponent?.string ?? "").tar")
        try lamina.succeeding("save", "-o", file.string, name)
        return try contents(of: file)
    }

    // MARK: Hits

    @Test(arguments: ["registry", "local"])
    func anotherStoreBuildsEverythingFromTheCache(_ type: String) throws {
        try DockerRegistry.with(in: scratch) { registry in
            let context = try project(registry)
            let place = type == "local" ? scratch.path.appending("cache").string : "\(registry.name)/cache:p"
            let name = "\(registry.name)/app:1"
            let (to, from) =
                type == "local"
                ? ("type=local,dest=\(place),mode=max", "type=local,src=\(place)")
                : ("type=registry,ref=\(place),mode=max", place)
            let first = try build(store("one"), context, "-t", name, "--cache-to", to)
            #expect(ran(first) == ["ran-tools", "ran-build", "ran-final"])

            let two = store("two")
            var second: Finished?
            let requests = try registry.requests {
                second = try build(two, context, "-t", name, "--push", "--cache-from", from)
            }
            #expect(try ran(#require(second)).isEmpty)
            // The configs of base and cache; the layers go from repository to repository or, from a directory, straight
            // into the registry.
            #expect(layerReads(requests).count == (type == "local" ? 1 : 2), "\(requests)")
            let blobs = try expectSuccess("find", two.root.appending("blobs").string, "-type", "f").outputLines
            #expect(blobs.count == 4, "manifest and config of the base and of the image: \(blobs)")

            let one = store("one")
            try one.succeeding("push", name)
            #expect(try archive(one, name) == archive(two, name))
            let three = store("three")
            try three.succeeding("pull", name)
            #expect(try archive(one, name) == archive(three, name))
        }
    }

    @Test func whatDiffersIsBuiltFromWhatDoesNot() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let context = try project(registry)
            let cache = "\(registry.name)/cache"
            _ = try build(store("one"), context, "--cache-to", "type=registry,ref=\(cache),mode=max")

            try scratch.write("changed\n", to: "project/src/a")
            let two = store("two")
            var changed: Finished?
            let requests = try registry.requests {
                changed = try build(
                    two, context, "--cache-from", cache, "--cache-to", "type=registry,ref=\(cache):2,mode=max")
            }
            #expect(try ran(#require(changed)) == ["ran-build"])
            // The base's two, the tools, the two that the last COPY is put onto, and the configs of base and cache; not
            // the sources and results of before.
            #expect(layerReads(requests).count == 5 + 2, "\(requests)")

            // A step that comes out as before ends the rebuild, in another store too.
            try scratch.write("changed\n", to: "project/src/b")
            try scratch.write("", to: "project/src/a")
            let three = store("three")
            let same = try build(three, context, "--cache-from", "\(cache):2")
            #expect(ran(same) == ["ran-build"])
            #expect(same.errorText.contains("COPY --from=tools /out /w/out\n#"), "\(same.errorText)")
        }
    }

    @Test func modeMinHoldsWhatTheImageConsistsOf() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let context = try project(registry)
            let cache = "\(registry.name)/cache"
            _ = try build(store("one"), context, "--cache-to", "type=registry,ref=\(cache)")
            #expect(ran(try build(store("two"), context, "--cache-from", cache)).isEmpty)
            try scratch.write("changed\n", to: "project/src/a")
            #expect(ran(try build(store("three"), context, "--cache-from", cache)) == ["ran-tools", "ran-build"])
        }
    }

    @Test(arguments: ["--cache-to=type=inline", "--build-arg=BUILDKIT_INLINE_CACHE=1"])
    func imagesCarryTheirOwnCache(_ option: String) throws {
        try DockerRegistry.with(in: scratch) { registry in
            let context = try project(registry)
            let name = "\(registry.name)/app"
            let plain = try store("zero").build(context, "-t", "plain")
            let one = store("one")
            _ = try build(one, context, "-t", name, "--push", option)
            let two = store("two")
            let second = try build(two, context, "-t", name, "--cache-from", name)
            #expect(ran(second).isEmpty)
            func id(_ lamina: Lamina) throws -> String {
                try lamina.succeeding("inspect", "--format", "{{.Id}}", name).trimmed
            }
            #expect(try id(one) == id(two))
            #expect(plain.hasPrefix("sha256:"))
        }
    }

    /// Records imported from one cache are part of the exported one.
    @Test func cachesPassOnWhatTheyWereBuiltFrom() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let context = try project(registry)
            let (first, second) = ("\(registry.name)/cache:1", "\(registry.name)/other:2")
            _ = try build(store("one"), context, "--cache-to", "type=registry,ref=\(first),mode=max")
            let requests = try registry.requests {
                let finished = try build(
                    store("two"), context, "--cache-from", first, "--cache-to",
                    "type=registry,ref=\(second),mode=max")
                #expect(ran(finished).isEmpty)
            }
            #expect(layerReads(requests).count == 2, "only configs: \(requests)")
            try scratch.write("changed\n", to: "project/src/a")
            #expect(ran(try build(store("three"), context, "--cache-from", second)) == ["ran-build"])
        }
    }

    @Test(arguments: [("zstd", "zstd"), ("uncompressed", "tar\""), ("gzip,compression-level=9", "gzip")])
    func compressesAsAsked(_ compression: String, _ type: String) throws {
        try DockerRegistry.with(in: scratch) { registry in
            let context = try project(registry)
            let directory = scratch.path.appending("cache")
            let one = store("one")
            _ = try build(
                one, context, "--cache-to",
                "type=local,dest=\(directory),compression=\(compression),force-compression=true,tag=x")
            let manifests = try expectSuccess(
                "sh", "-c", "cat $0/blobs/sha256/* | grep -a -o 'image.layer.v1.tar[+a-z]*\"'", directory.string)
            #expect(!manifests.outputLines.isEmpty)
            #expect(manifests.outputLines.allSatisfy { $0.contains(type) }, "\(manifests.outputText)")
            let finished = try build(store("two"), context, "--cache-from", "type=local,src=\(directory),tag=x")
            #expect(ran(finished).isEmpty)
        }
    }

    // MARK: What can go wrong

    @Test func aCacheThatCannotBeReadIsAWarning() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let context = try project(registry)
            let name = "\(registry.name)/app"
            _ = try build(store("one"), context, "-t", name, "--push")
            let layout = scratch.path.appending("foreign")
            try scratch.write(#"{"schemaVersion":2,"manifests":[]}"#, to: "foreign/index.json")
            let finished = try build(
                store("two"), context, "--cache-from", "\(registry.name)/no-such", "--cache-from", name,
                "--cache-from", "localhost:1/cache", "--cache-from", "type=local,src=/no/such",
                "--cache-from", "type=local,src=\(layout)")
            #expect(ran(finished) == ["ran-tools", "ran-build", "ran-final"])
            let warnings = finished.errorLines.filter {
                $0.contains("WARN: the cache ") && $0.contains(" is not used: ")
            }
            #expect(warnings.count == 5, "\(finished.errorText)")
            #expect(warnings.contains { $0.contains("it is an image without an inline cache") })
        }
    }

    @Test func aCacheOfBuildKitIsAWarning() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let context = try project(registry)
            let layout = scratch.path.appending("buildkit")
            let script = """
                import hashlib, json, os, sys
                root = sys.argv[1]
                os.makedirs(root + '/blobs/sha256')
                def blob(data, kind, **more):
                    digest = hashlib.sha256(data).hexdigest()
                    open(f'{root}/blobs/sha256/{digest}', 'wb').write(data)
                    return dict(mediaType=kind, digest='sha256:' + digest, size=len(data), **more)
                config = blob(b'{"layers":[],"records":[]}', 'application/vnd.buildkit.cacheconfig.v0')
                manifest = dict(schemaVersion=2, mediaType='application/vnd.oci.image.manifest.v1+json',
                    config=config, layers=[])
                entry = blob(json.dumps(manifest).encode(), manifest['mediaType'],
                    annotations={'org.opencontainers.image.ref.name': 'latest'})
                json.dump(dict(schemaVersion=2, manifests=[entry]), open(root + '/index.json', 'w'))
                """
            try expectSuccess("python3", "-c", script, layout.string)
            let finished = try build(store("one"), context, "--cache-from", "type=local,src=\(layout)")
            #expect(finished.errorText.contains("it was written by BuildKit"), "\(finished.errorText)")
        }
    }

    @Test func aLayerThatIsGoneIsMadeAnew() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let context = try project(registry)
            let directory = scratch.path.appending("cache")
            _ = try build(store("one"), context, "--cache-to", "type=local,dest=\(directory),mode=max")
            let intact = try build(store("two"), context, "--cache-from", "type=local,src=\(directory)")
            #expect(ran(intact).isEmpty)
            // All but the documents go; one is replaced by something else.
            let script = """
                cd "$0/blobs/sha256"; for file in *; do
                    if head -c 2 "$file" | grep -q '^{'; then continue; fi
                    rm "$file"; if [ -z "$done" ]; then done=1; printf other > "$file"; fi
                done
                """
            try expectSuccess("bash", "-c", script, directory.string)
            try scratch.write("changed\n", to: "project/src/a")
            let output = scratch.path.appending("out.tar")
            let finished = try build(
                store("three"), context, "--cache-from", "type=local,src=\(directory)", "-o",
                "type=oci,dest=\(output)")
            #expect(ran(finished) == ["ran-tools", "ran-build", "ran-final"], "\(finished.errorText)")
            #expect(finished.errorText.contains("cannot be had from \(directory)"))
        }
    }

    @Test func aFailingExportFailsTheBuildUnlessItIsIgnored() throws {
        let context = try scratch.context("FROM lamina/base\nRUN true\n")
        let spec = "type=registry,ref=localhost:1/cache"
        let failed = try store("one")("build", "--cache-to", spec, context.string)
        #expect(failed.status == 1)
        #expect(failed.errorText.contains("localhost:1"))
        let ignored = try store("one")(
            "build", "--progress", "plain", "--cache-to", "\(spec),ignore-error=true", context.string)
        #expect(ignored.status == 0)
        #expect(ignored.errorText.contains("WARN: the cache was not exported: "))
    }

    @Test(arguments: [
        "--cache-to=type=inline,mode=max", "--cache-to=type=gha", "--cache-to=type=registry", "--cache-to=type=local",
        "--cache-to=type=registry,ref=x,mode=all", "--cache-to=type=registry,ref=x,compression=lzma",
        "--cache-to=type=registry,ref=x,compression=gzip,compression-level=10",
        "--cache-to=type=registry,ref=x,image-manifest=false", "--cache-to=type=registry,ref=x,unknown=1",
        "--cache-from=type=local", "--cache-from=type=inline,ref=x", "--cache-from=type=registry,ref=UPPER",
        "--cache-from=type=registry,ref=x,registry.insecure=maybe", "--cache-to=type=local,dest=x,ignore-error=maybe",
        "--cache-to=dest=x", "--cache-from=", "--cache-to=type=s3", "--cache-to=type=s3,bucket=b",
    ])
    func refusesWhatItCannotDo(_ option: String) throws {
        let context = try scratch.context("FROM lamina/base\n")
        let refused = try store("one")("build", option, context.string)
        #expect(refused.status == 2, "\(refused.errorText)")
        #expect(!option.hasSuffix("gha") || refused.errorText.contains("Use type=registry,ref=NAME"))
    }
}
