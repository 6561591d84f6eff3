import SystemPackage
import Testing

/// Builds that ask nothing of the network, and builds from the base images of a lock file.
@Suite("Without the network", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct OfflineTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    /// Pushes a base whose only file says `text`, from a store that is gone afterwards.
    private func pushBase(_ text: String, as name: String) throws {
        let other = Lamina(root: scratch.path.appending("other-\(text)"))
        let context = try scratch.context("FROM scratch\nCOPY text /text\n")
        try scratch.write(text, to: "context/text")
        try other.build(context, "-t", name, "--push")
    }

    private func child(of name: String) throws -> FilePath {
        try scratch.write("FROM \(name)\nLABEL child=1\n", to: "child/Dockerfile").removingLastComponent()
    }

    @Test func whatIsMissingIsSaidAndWhatIsThereIsBuilt() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/base:1"
            try pushBase("one", as: name)
            let child = try child(of: name)
            let out = scratch.path.appending("out").string
            let requests = try registry.requests {
                let missing = try lamina("build", "--offline", child.string)
                #expect(missing.status == 1)
                #expect(missing.errorText.contains("\(registry.name) is not asked because of --offline"))
                let pull = try lamina("pull", "--offline", name)
                #expect(pull.status == 1 && pull.errorText.contains("--offline"))
            }
            #expect(requests.isEmpty, "\(requests)")
            try lamina.succeeding("pull", name)
            #expect(try registry.requests { try lamina.build(child, "--offline", "-o", out) }.isEmpty)
            #expect(try text(of: FilePath(out).appending("text")) == "one")
        }
    }

    @Test func aRepositoryIsNotAsked() throws {
        let context = try scratch.context("FROM scratch\nADD https://git.invalid/team/app.git /app\n")
        let finished = try lamina("build", "--offline", context.string)
        #expect(finished.status == 1)
        #expect(finished.errorText.contains("https://git.invalid/team/app.git is not asked because of --offline"))
    }

    @Test func aLockKeepsTheBaseUntilItIsPulledAgain() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/base:1"
            let child = try child(of: name)
            let lock = scratch.path.appending("lamina.lock").string
            let out = scratch.path.appending("out")
            func built(_ store: String, _ options: String...) throws -> String {
                let lamina = Lamina(root: scratch.path.appending(store))
                let words = ["build", "--lock", lock, "-o", out.string] + options + [child.string]
                let finished = try lamina.start(words).wait()
                #expect(finished.status == 0, "\(finished.errorText)")
                return try text(of: out.appending("text"))
            }
            try pushBase("one", as: name)
            #expect(try built("a") == "one")
            let written = try text(of: FilePath(lock))
            let digest = try lamina.succeeding("digest", name).trimmed
            let images = try JSONValue(parsing: written)["images"]
            #expect(images?[name]?.string == digest)

            try pushBase("two", as: name)
            #expect(try built("b") == "one")
            #expect(try text(of: FilePath(lock)) == written)
            #expect(try built("c", "--pull") == "two")
            #expect(try text(of: FilePath(lock)) != written)
        }
    }

    @Test(arguments: [
        ("", "has no member 'images'"), ("{}", "has no member 'images'"),
        (#"{"schema":2,"images":{}}"#, "schema is not 1"),
        (#"{"schema":1,"images":{"a":"b"}}"#, "'a' has no digest"),
    ])
    func aFileThatIsNoLockIsRefused(_ content: String, _ reason: String) throws {
        let context = try scratch.context("FROM lamina/base\n")
        let lock = try scratch.write(content, to: "lock")
        let finished = try lamina("build", "--lock", lock.string, context.string)
        #expect(finished.status == 1 && finished.errorText.contains(reason), "\(finished.errorText)")
        #expect(try text(of: lock) == content)
    }
}
