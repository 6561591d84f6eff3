import SystemPackage
import Testing

/// Base images whose layers stay in their registry until a step needs files.
@Suite("Lazy bases", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct LazyBaseTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func store(_ name: String) -> Lamina {
        Lamina(root: scratch.path.appending(name)).with(["DOCKER_CONFIG": scratch.path.string])
    }

    /// Pushes a base of three layers.
    private func pushBase(to registry: DockerRegistry) throws -> String {
        let base = try scratch.context("FROM lamina/base\nRUN echo one > /one\nRUN echo two > /two\n", named: "base")
        try store("maker").build(base, "-t", "\(registry.name)/base", "--push")
        return "\(registry.name)/base"
    }

    private func blobReads(_ requests: [String]) -> [String] {
        requests.filter { $0.hasPrefix("GET") && $0.contains("/blobs/") }
    }

    @Test func fetchesNothingWhereNoFilesAreNeeded() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let base = try pushBase(to: registry)
            let context = try scratch.context("FROM \(base)\nENV A=1\nLABEL b=c\n")
            let name = "\(registry.name)/app"
            let lazy = store("lazy")
            let requests = try registry.requests {
                try lazy.build(context, "-t", name, "--push")
            }
            // The config of the base is a blob, too.
            #expect(blobReads(requests).count == 1, "\(requests)")
            #expect(requests.count { $0.hasPrefix("POST /v2/app/blobs/uploads/") } == 4, "\(requests)")
            #expect(requests.count { $0.hasPrefix("PUT /v2/app/blobs/uploads/") } == 1, "the rest is mounted")

            let user = store("user")
            try user.succeeding("pull", name)
            let child = try scratch.context("FROM \(name)\nRUN cat /one /two\n", named: "child")
            try user.build(child)
        }
    }

    @Test func fetchesEachLayerOnceWhenFilesAreNeeded() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let base = try pushBase(to: registry)
            let context = try scratch.context(
                """
                FROM \(base) AS a
                RUN cat /one > /a
                FROM \(base) AS b
                RUN cat /two > /b
                FROM \(base)
                COPY --from=a /a /
                COPY --from=b /b /
                """)
            let lazy = store("lazy")
            let requests = try registry.requests {
                // Two processes share the store, too.
                let builds = try (0..<2).map { _ in try lazy.start(["build", "--progress", "plain", context.string]) }
                for build in builds {
                    let finished = try build.wait()
                    #expect(finished.status == 0, "\(finished.errorText)")
                    #expect(finished.errorText.contains("FROM \(base):latest@sha256:"))
                }
            }
            let layers = blobReads(requests)
            let config = try lazy.succeeding("inspect", "--format", "{{.Id}}", base).trimmed
            #expect(layers.count { !$0.contains(config) } == 3, "\(requests)")
            let again = try registry.requests { try lazy.build(context) }
            #expect(again.isEmpty)
        }
    }

    @Test func showsTheFetchUnderItsStep() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let base = try pushBase(to: registry)
            let context = try scratch.context("FROM \(base)\nRUN cat /one\n")
            let finished = try store("lazy")("build", "--progress", "plain", context.string)
            #expect(finished.status == 0)
            let lines = finished.errorLines
            guard let label = lines.first(where: { $0.contains("[1/2] FROM") }),
                let number = label.split(separator: " ").first
            else {
                Issue.record("\(finished.errorText)")
                return
            }
            #expect(lines.contains { $0.hasPrefix("\(number) resolve \(base):latest@sha256:") })
            #expect(lines.contains { $0.hasPrefix("\(number) sha256:") && $0.hasSuffix("done") })
        }
    }

    @Test func commandsFetchWhatTheyLookAt() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let base = try pushBase(to: registry)
            let context = try scratch.context("FROM \(base)\nENV A=1\n")
            let eager = store("eager")
            try eager.succeeding("pull", base)
            let commands = [["history", "--format", "{{.Size}} {{.CreatedBy}}"], ["analyze", "--format", "json"]]
            for command in commands {
                let lazy = store("lazy-\(command[0])")
                try lazy.build(context)
                let requests = try registry.requests {
                    let told = try lazy.succeeding(command + [base])
                    #expect(try told.output == eager.succeeding(command + [base]).output)
                    #expect(told.errorText.contains("Fetching"))
                }
                #expect(blobReads(requests).count == 3)
                #expect(try registry.requests { try lazy.succeeding(command + [base]) }.isEmpty)
                let size = { (store: Lamina) in try store.succeeding("images", "--format", "{{.Size}}", base).trimmed }
                #expect(try size(lazy) == size(eager), "the size is known once the files are")
            }
            let lazy = store("lazy-save")
            try lazy.build(context)
            let archives = try [lazy, eager].map { store in
                let file = scratch.path.appending("\(store.root.lastComponent?.string ?? "").tar")
                try store.succeeding("save", "-o", file.string, base)
                return try contents(of: file)
            }
            #expect(archives[0] == archives[1])
        }
    }

    @Test func handsLayersOnToAnotherRegistry() throws {
        try DockerRegistry.with(in: scratch) { source in
            let base = try pushBase(to: source)
            let other = try Scratch()
            try DockerRegistry.with(in: other) { target in
                let context = try scratch.context("FROM \(base)\nENV A=1\n")
                let lazy = store("lazy")
                let name = "\(target.name)/app"
                try lazy.build(context, "-t", name, "--push")
                let blobs = try expectSuccess("find", lazy.root.appending("blobs").string, "-type", "f").outputLines
                #expect(blobs.count == 4, "the configs and manifests of the base and of the image: \(blobs)")
                let child = try scratch.context("FROM \(name)\nRUN cat /one\n", named: "child")
                try store("user").build(child)
            }
        }
    }

    @Test func saysWhereALayerCannotBeHad() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let base = try pushBase(to: registry)
            let lazy = store("lazy")
            try lazy.build(try scratch.context("FROM \(base)\nENV A=1\n"))
            let format = "{{range .RootFS.Layers}}{{.}} {{end}}"
            #expect(try lazy.succeeding("inspect", "--format", format, base).trimmed.split(separator: " ").count == 3)
            let manifest = try expectSuccess(
                "python3", "-c",
                """
                import json, sys, urllib.request as u
                q = u.Request(sys.argv[1], headers={'Accept': 'application/vnd.oci.image.manifest.v1+json'})
                print(json.load(u.urlopen(q))['layers'][1]['digest'])
                """, "http://\(registry.name)/v2/base/manifests/latest"
            ).trimmed
            try DockerRegistry.remove(manifest, in: scratch)
            let child = try scratch.context("FROM \(base)\nRUN cat /one\n", named: "child")
            let failed = try lazy("build", child.string)
            #expect(failed.status == 1)
            #expect(failed.errorText.contains("cannot be had from \(base)"), "\(failed.errorText)")
            #expect(failed.errorText.contains(manifest))
        }
    }
}
