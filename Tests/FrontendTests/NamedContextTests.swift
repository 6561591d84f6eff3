import Diagnostics
import Graph
import OCI
import Testing

@testable import Frontend

/// Stages and images that named contexts replace.
@Suite struct NamedContextTests {
    private static func options(_ contexts: [(String, NamedContexts.Content)]) throws -> BuildOptions {
        var options = BuildOptions()
        for (name, content) in contexts { try options.contexts.add(name, content) }
        return options
    }

    private static func contexts(_ plan: BuildPlan) -> [String] {
        plan.operations { if case .context(let source) = $0 { source.name } else { nil } }
    }

    @Test(arguments: ["base", "base:latest", "docker.io/library/base"]) func imagesByName(_ name: String) async throws {
        let resolver = FakeResolver(["docker.io/library/other:1": try image()])
        let plan = try await plan("FROM base\n", Self.options([(name, .image("other:1"))]), resolver: resolver)
        #expect(resolver.asked == ["docker.io/library/other:1 \(Platform.host)"])
        #expect(plan.labels.count == 1)
    }

    /// A stage is found before a context, unless the context has the stage's own name.
    @Test("A named context replaces a stage of its own name only")
    func stages() async throws {
        let text = "FROM scratch AS a\nRUN x\nFROM a\nCOPY --from=b / /\nRUN --mount=from=b,target=/m y\n"
        let plain = try await plan(text, Self.options([("b", .files)]))
        #expect(plain.runs.count == 2)
        #expect(Self.contexts(plain) == ["b"])
        let replaced = try await plan(text, Self.options([("a", .files), ("b", .files)]))
        #expect(replaced.runs.count == 1)
        #expect(Self.contexts(replaced) == ["a", "b"])
        #expect(replaced.steps.first?.createdBy == "[context a] load from client")
    }

    /// A replaced stage is not looked at: neither its base nor its copies.
    @Test func replacedStageNeedsNothing() async throws {
        let resolver = FakeResolver([:])
        let text = "FROM none AS a\nCOPY --from=nothing / /\nFROM a\n"
        _ = try await plan(text, Self.options([("a", .files)]), resolver: resolver)
        #expect(resolver.asked == [])
    }

    @Test("An OCI layout as a named context is a base and a source")
    func layouts() async throws {
        let resolver = FakeResolver(["docker.io/library/l:latest": try image()])
        let plan = try await plan("FROM l\nCOPY --from=l / /\n", Self.options([("l", .layout)]), resolver: resolver)
        #expect(plan.copies.count == 1)
    }

    @Test func webFile() async throws {
        let source = HTTPSource(url: "http://h/a*b", fileName: "a*b")
        let plan = try await plan("FROM w\n", Self.options([("w", .file(source))]))
        #expect(plan.copies.map(\.sources) == [[.path("a[*]b", input: 1)]])
    }

    @Test(arguments: ["scratch", "context", "A", "a b", ""]) func badNames(_ name: String) {
        #expect(throws: FrontendError.self) { try Self.options([(name, .files)]) }
    }

    @Test(arguments: [
        ("https://h/r.git", "[internal] load git source https://h/r.git"),
        ("github.com/o/r#v1:d", "[internal] load git source https://github.com/o/r#v1:d"),
        ("git@h:o/r.git", "[internal] load git source git@h:o/r.git"),
        ("git+https://u:p@h/r?submodules=0#x", "[internal] load git source https://xxxxx:xxxxx@h/r#x"),
        ("git+http://h/r", "[internal] load git source http://h/r"), ("git+ssh://h/r", ""),
        ("http://u:p@h/a.tar", "http://xxxxx:xxxxx@h/a.tar"),
        ("a/b", ""), ("ftp://h/r", ""), ("file:///r.git", ""), ("C:\\x", ""),
    ])
    func remoteContexts(_ text: String, _ label: String) throws {
        #expect(try RemoteContext(text)?.label ?? "" == label)
    }

    @Test func gitContext() throws {
        guard
            case .git(let source)? = try RemoteContext(
                "github.com/o/r?keep-git-dir=0#v:/d/../e", keepsGitDirectory: true)
        else {
            Issue.record("it is a repository")
            return
        }
        #expect(source.remote == "https://github.com/o/r")
        #expect(source.subdirectory == "e")
        #expect(source.times == .commit)
        #expect(!source.keepsGitDirectory)
    }
}
