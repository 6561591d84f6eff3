import SystemPackage
import Testing

/// The documents of `--format`, which have the members that `docs/json.md` names.
@Suite("Documents", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct DocumentTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    /// The members that the page has for a command, in the order of their first mention, without those of parts.
    private func described(_ command: String) throws -> String {
        let page = try text(of: Lamina.packageRoot.appending("docs/json.md"))
        return try #require(page.lines.first { $0.hasPrefix("| `\(command)` |") })
    }

    /// Requires one document on the standard output, whose members and those of its parts the page names.
    private func document(_ arguments: String...) throws -> JSONValue {
        let finished = try lamina.succeeding(arguments + ["--format", "json"])
        #expect(finished.outputLines.count == 1, "\(arguments): \(finished.outputText)")
        let document = try JSONValue(parsing: finished.outputText)
        let isPrune = arguments.dropFirst().first == "prune"
        let row = try described(arguments.prefix(isPrune ? 2 : 1).joined(separator: " "))
        #expect((document["schema"] ?? document["Schema"])?.number == 1)
        for (name, value) in document.object ?? [:] where name != "schema" {
            #expect(row.contains("`\(name)`"), "\(name)")
            for part in value.array ?? [value] {
                for name in part.object?.keys.sorted() ?? [] { #expect(row.contains("`\(name)`"), "\(name)") }
            }
        }
        return document
    }

    @Test func commandsPrintWhatThePageDescribes() throws {
        let context = try scratch.context("FROM lamina/base\nRUN echo 1 > /one\n")
        let id = try lamina.build(context, "-t", "example/one")
        let archive = scratch.path.appending("one.tar")
        try lamina.succeeding("save", "-o", archive.string, "example/one")
        let loaded = try document("load", "-i", archive.string)["images"]?.array?.first
        #expect(loaded?["id"]?.string == id)
        #expect(loaded?["names"]?.strings == ["docker.io/example/one:latest"])
        #expect(try document("doctor")["isolation"]?.string == "namespaces")
        let check = try document("fsck")
        #expect(check["defects"]?.array == [] && check["checked"]?["images"]?.number != 0)
        _ = try document("version")
        #expect(try document("info")["Containers"]?.number == 0)
        #expect(try document("prune", "--all", "--dry-run")["isDryRun"] == .bool(true))
        let pruned = try document("prune", "--all", "--force")
        #expect(pruned["records"]?.array?.isEmpty == false)
        #expect(try lamina.succeeding("prune", "-f", "--format", "{{.reclaimed}}").trimmed == "0")
        for kind in ["image", "container", "volume"] {
            #expect(try document(kind, "prune", "--force")["deleted"]?.array == [])
        }
        let wrong = try lamina("fsck", "--format", "{{.")
        #expect(wrong.status == 2, "\(wrong.errorText)")
    }

    @Test(.enabled(if: Machine.hasRegistry, Machine.needsRegistry))
    func transfersPrintWhatThePageDescribes() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/example/one:1"
            let id = try lamina.build(try scratch.context("FROM scratch\nCOPY Dockerfile /\n"), "-t", name)
            let pushed = try document("push", name)
            #expect(try document("digest", name)["digest"] == pushed["digest"])
            #expect(try document("catalog", registry.name)["repositories"]?.strings == ["example/one"])
            try lamina.succeeding("rmi", name)
            let pulled = try document("pull", name)
            #expect(pulled["id"]?.string == id && pulled["digest"] == pushed["digest"])
            #expect(pulled["isNew"] == .bool(true) && pulled["layers"]?.array?.count == 1)
            #expect(try lamina.succeeding("pull", "--format", "{{.isNew}}", name).trimmed == "false")
        }
    }
}
