import SystemPackage
import Testing

/// Docker's commands about the names of the store, as scripts use them.
@Suite("Local names", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct LocalNameTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        for (name, epoch) in [("team/app:1", 1000), ("team/app:2", 2000), ("team/sub/db:1", 3000), ("solo", 4000)] {
            let context = try scratch.context("FROM scratch\nLABEL n=\(name)\nCOPY Dockerfile /\n", named: "\(epoch)")
            try lamina.build(context, "-t", name, "--label", "kind=test", "--build-arg=SOURCE_DATE_EPOCH=\(epoch)")
        }
        let context = try scratch.context("FROM scratch\nLABEL loose=1\nCOPY Dockerfile /\n")
        try lamina.build(context, "--build-arg=SOURCE_DATE_EPOCH=5000")
    }

    private func names(_ filters: String...) throws -> [String] {
        let arguments = filters.flatMap { $0.contains("=") ? ["--filter", $0] : [$0] }
        return try lamina.succeeding(["images", "--format", "{{.Repository}}:{{.Tag}}"] + arguments).outputLines
            .sorted()
    }

    @Test func filtersChooseAsDockersDo() throws {
        #expect(try names("reference=team/*") == ["team/app:1", "team/app:2"])
        #expect(try names("reference=team/*:1") == ["team/app:1"])
        #expect(try names("reference=*/*/db", "reference=solo") == ["solo:latest", "team/sub/db:1"])
        #expect(try names("team/app") == ["team/app:1", "team/app:2"])
        #expect(try names("docker.io/team/app:2") == ["team/app:2"])
        #expect(try names("team/a*") == ["team/app:1", "team/app:2"])
        #expect(try names("dangling=true") == ["<none>:<none>"])
        #expect(try names("dangling=false").count == 4)
        #expect(try names("label=kind") == names("label=kind=test"))
        #expect(try names("label=kind=other") == [])
        #expect(try names("label=n=solo", "label=kind") == ["solo:latest"])
        #expect(try names("before=team/app:2") == ["team/app:1"])
        #expect(try names("since=team/app:2", "dangling=false") == ["solo:latest", "team/sub/db:1"])
        #expect(try names("until=2500") == ["team/app:1", "team/app:2"])
        #expect(try names("until=1970-01-01T00:20:00").count == 1)
        #expect(try names("until=24h", "-a").count == 5)
        for filter in ["nonsense=1", "dangling", "dangling=maybe", "before=no-such", "until=soon", "reference=["] {
            let images = try lamina("images", "--filter", filter)
            #expect(images.status == 1, "\(filter)")
            #expect(images.errorText.hasPrefix("lamina: "), "\(filter): \(images.errorText)")
        }
    }

    @Test func rowsHaveTheFieldsOfDocker() throws {
        let line = try #require(try lamina.succeeding("images", "--format", "json", "solo").outputLines.first)
        let row = try JSONValue(parsing: line)
        #expect(
            row.object?.keys.sorted() == [
                "Containers", "CreatedAt", "CreatedSince", "Digest", "ID", "Repository", "SharedSize", "Size", "Tag",
                "UniqueSize", "VirtualSize",
            ])
        #expect(row["CreatedSince"]?.string?.hasSuffix(" years ago") == true)
    }

    @Test func whatIsNotThereIsNoFailureWhenForced() throws {
        let forced = try lamina("image", "rm", "-f", "no-such", "solo")
        #expect(forced.status == 0)
        #expect(forced.errorText.contains("No such image: no-such"))
        #expect(forced.outputLines.first == "Untagged: solo:latest")
        #expect(try lamina("rmi", "no-such").status == 1)
    }

    @Test func unnamedImagesArePruned() throws {
        let loose = try lamina.succeeding("images", "-q", "--no-trunc", "-f", "dangling=true").trimmed
        #expect(try lamina.succeeding("image", "prune").errorText.contains("nothing was removed"))
        let other = try lamina.succeeding("image", "prune", "-f", "--filter", "label=absent").outputLines
        #expect(other == ["Total reclaimed space: 0B"])
        let pruned = try lamina.succeeding("image", "prune", "--force", "--filter", "label!=absent").outputLines
        #expect(pruned.prefix(3) == ["Deleted Images:", "deleted: \(loose)", ""])
        #expect(pruned.last?.hasPrefix("Total reclaimed space: ") == true)
        #expect(try names().count == 4)
        try lamina.succeeding("image", "prune", "-af", "--filter", "until=2500")
        #expect(try names() == ["solo:latest", "team/sub/db:1"])
        #expect(try lamina.succeeding("fsck", "--full").outputText.contains("The store is whole."))
    }

    @Test func versionAndInfoAnswerTemplates() throws {
        #expect(try lamina.succeeding("version").outputText == lamina.succeeding("--version").outputText)
        let version = try JSONValue(parsing: lamina.succeeding("version", "--format", "json").outputText)
        #expect(version["Client"]?["Version"]?.string?.isEmpty == false)
        let server = try lamina.succeeding("version", "-f", "{{.Server.Version}} {{.Server.Os}}").trimmed
        #expect(server == "\(version["Client"]?["Version"]?.string ?? "") linux")
        #expect(try lamina.succeeding("info", "-f", "{{.DockerRootDir}} {{.Images}}").trimmed == "\(lamina.root) 5")
        #expect(try lamina.succeeding("system", "info").outputLines.contains("Images: 5"))
        #expect(try lamina.succeeding("buildx", "ls").outputLines.last?.hasPrefix("default*") == true)
        #expect(try lamina.succeeding("image", "--help").outputText.contains("image ls       lamina images"))
    }
}
