import Engine
import Execution
import Frontend
import Linux
import OCI
import Records
import Solver
import Store
import Testing
import Trees

/// A random edit of the context, and the cause that the next build gives: it is the edit, by the path that the source of
/// the instruction reaches.
@Suite(.enabled(if: IsolationModes.probe().best != nil, "RUN needs root with CAP_SYS_ADMIN"))
struct ExplainedEditTests {
    struct Source: CustomTestStringConvertible, Sendable {
        let text: String
        /// The beginnings of the paths that it reaches.
        let reach: [String]

        init(_ text: String, _ reach: String...) { (self.text, self.reach) = (text, reach) }

        var testDescription: String { text }
    }

    static let sources = [
        Source("COPY src /o/", "src"), Source("COPY link /o", "link"), Source("COPY way /o/", "way"),
        Source("COPY way/sub/c /o", "way/sub/c"), Source("COPY */x /o/", "lib", "d", "src"),
        Source("COPY l* /o/", "l"), Source("COPY d* /o/", "d"), Source("COPY src src/a way /o/", "src", "way"),
        Source("COPY --exclude=sub src /o/", "src"),
        Source("COPY --parents src/sub link d1 /o/", "src/sub", "link", "d1"),
        Source("COPY --parents */x l* /o/", ""), Source("COPY . /o/", ""), Source("ADD src link /o/", "src", "link"),
        Source("FROM scratch AS s\nCOPY . /\nFROM scratch\nCOPY --from=s /src /link /o/", ""),
        Source("FROM scratch AS s\nCOPY link /f\nFROM scratch\nCOPY --from=s /f /o", "link", "f"),
        Source("RUN --mount=source=way,target=/m --mount=source=link,target=/f echo", "way", "link"),
    ]

    @Test(arguments: sources) func theCauseNamedIsTheEdit(_ item: Source) async throws {
        let fixture = try KeyFixture()
        let source = item.text
        var world = EditedWorld(seed: UInt64(source.utf8.reduce(0) { $0 &* 31 &+ Int($1) } & 0xffff))
        let base = source.hasPrefix("RUN") ? "lamina/base" : "scratch"
        let dockerfile = source.hasPrefix("FROM") ? source : "FROM \(base)\n\(source)"
        var named = 0
        var setup = KeySetup()
        (setup.files, setup.dockerfile) = (world.lines, dockerfile)
        _ = try await fixture.build(setup)
        var round = 0
        // Of a single file few edits are.
        while round < 10 || (named == 0 && round < 100) {
            round += 1
            let edit = world.edit()
            setup.files = world.lines
            _ = try await fixture.build(setup)
            let history = BuildHistory(store: try StoreRoot(at: fixture.store))
            let explanation = try history.explain(try history.build("^0"))
            for finding in explanation.findings where explanation.isMiss(finding) {
                let own = finding.causes.filter { if case .follows = $0 { false } else { true } }
                guard let cause = own.first, own.count == 1, case .files(let changes) = cause else {
                    Issue.record("round \(round): \(edit) gave \(finding.causes)")
                    continue
                }
                named += 1
                for change in changes.changes
                where !edit.explains(change) || !item.reach.contains(where: change.path.text.hasPrefix) {
                    Issue.record("round \(round): \(edit) gave \(change)")
                }
                #expect(changes.changes.contains { edit.isNamed(by: $0) }, "round \(round): \(edit) gave \(changes)")
            }
        }
        #expect(named > 0)
    }
}

/// A change of one file, with all names that it may have in an explanation.
private struct Edit: CustomStringConvertible {
    enum Kind { case content, mode, added, removed, renamed, retargeted, replaced, relinked }

    let kind: Kind
    let path: String
    /// The path before a renaming.
    var former: String?
    /// The names that lead to what is edited.
    var names: Set<String> = []

    var description: String { "\(kind) of \(former.map { "\($0) to " } ?? "")\(path)" }

    private func isWithin(_ path: PathBytes) -> Bool {
        names.contains { path == PathBytes($0) || path.isWithin(PathBytes($0)) }
    }

    /// Whether a change that is named is a part of the edit.
    func explains(_ change: FileChanges.Change) -> Bool { isWithin(change.path) }

    /// Whether the change says what kind of edit it was.
    func isNamed(by change: FileChanges.Change) -> Bool {
        func differs(_ test: (FileChanges.Difference) -> Bool) -> Bool {
            if case .changed(let differences) = change.kind { differences.contains(where: test) } else { false }
        }
        switch kind {
        case .content: return differs { if case .content = $0 { true } else { false } }
        case .mode: return differs { if case .mode = $0 { true } else { false } }
        // A link that leads to nothing, or to a directory, may come to lead to a file.
        case .added: return change.kind == .added || differs { if case .kind = $0 { true } else { false } }
        case .removed: return change.kind == .removed
        case .renamed:
            if case .renamed = change.kind { return true }
            return change.kind == .added || change.kind == .removed
        case .retargeted: return differs { if case .linkTarget = $0 { true } else { false } }
        case .replaced: return differs { if case .kind = $0 { true } else { false } } || change.kind == .added
        case .relinked: return differs { if case .hardLink = $0 { true } else { false } }
        }
    }
}

/// A context with links of every kind, edited at random.
private struct EditedWorld {
    private struct File {
        var letter: Character
        var mode = "644"
        var content: String
    }

    private var random: SplitMix
    private var files: [String: File] = [:]
    private var count = 0

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        for path in ["src/a", "src/b", "src/sub/c", "src/sub/e", "lib/x", "lib-extra/x", "dest/f"] {
            files[path] = File(letter: "f", content: "content of \(path)")
        }
        files["src/twin"] = File(letter: "f", content: "twin")
        files["src/twin2"] = File(letter: "h", content: "src/twin")
        files["link"] = File(letter: "l", mode: "777", content: "src/a")
        files["way"] = File(letter: "l", mode: "777", content: "src")
        files["src/in"] = File(letter: "l", mode: "777", content: "a")
        for path in ["src", "src/sub", "lib", "lib-extra", "d1", "dest"] {
            files[path] = File(letter: "d", mode: "755", content: "")
        }
    }

    /// Directories before what they hold, and files before the hard links to them.
    var lines: [String] {
        files.sorted { ($0.value.letter == "h" ? 1 : 0, $0.key) < ($1.value.letter == "h" ? 1 : 0, $1.key) }
            .map { path, file in
                "\(file.letter) \(path) \(file.mode)\(file.content.isEmpty ? "" : " ")\(file.content)"
            }
    }

    private mutating func pick(_ paths: [String]) -> String? { paths.sorted().randomElement(using: &random) }

    /// Files that no link and no other name of theirs hangs on.
    private var free: [String] {
        files.filter { path, file in
            file.letter == "f" && !["src/a", "src/twin", "src/sub/c"].contains(path)
        }.map(\.key)
    }

    mutating func edit() -> Edit {
        count += 1
        let directories = ["src", "src/sub", "lib", "lib-extra", "d1", "dest"]
        switch random.next() % 12 {
        case 0, 1, 2: return content()
        case 3: return mode(pick(files.filter { $1.letter == "f" }.map(\.key)))
        case 4: return mode(pick(directories))
        case 5:
            let path = (pick(directories) ?? "src") + "/new\(count)"
            files[path] = File(letter: "f", content: "new \(count)")
            return named(Edit(kind: .added, path: path))
        case 6:
            let path = [(pick(directories) ?? "src") + "/dir\(count)", "d\(count)"][Int(random.next() % 2)]
            files[path] = File(letter: "d", mode: "755", content: "")
            return named(Edit(kind: .added, path: path))
        case 7:
            guard let path = pick(free) else { return content() }
            files[path] = nil
            return named(Edit(kind: .removed, path: path))
        case 8:
            guard let path = pick(free), let file = files[path] else { return content() }
            files[path] = nil
            files["\(path)-moved\(count)"] = file
            return named(Edit(kind: .renamed, path: "\(path)-moved\(count)", former: path))
        case 9: return retarget()
        case 10:
            guard let path = pick(free) else { return content() }
            files[path] =
                [
                    File(letter: "l", mode: "777", content: "nowhere"), File(letter: "d", mode: "755", content: ""),
                    File(letter: "p", content: ""),
                ][Int(random.next() % 3)]
            // A wildcard cannot match a link that leads to nothing.
            if files[path]?.letter == "l", path.hasSuffix("/x") { files[path]?.content = "/src/a" }
            return named(Edit(kind: .replaced, path: path))
        default: return relink()
        }
    }

    private mutating func content() -> Edit {
        let path = pick(files.filter { $1.letter == "f" }.map(\.key)) ?? "src/a"
        files[path]?.content = "edit \(count)"
        return named(Edit(kind: .content, path: path))
    }

    private mutating func mode(_ path: String?) -> Edit {
        let path = path ?? "src/a"
        let former = files[path]?.mode
        let modes = files[path]?.letter == "d" ? ["755", "711", "700"] : ["644", "600", "755"]
        files[path]?.mode = modes.filter { $0 != former }[Int(random.next() % 2)]
        return named(Edit(kind: .mode, path: path))
    }

    private mutating func retarget() -> Edit {
        let (path, targets) = [("link", ["src/a", "src/sub/c"]), ("src/in", ["a", "nowhere", "sub"])][
            Int(random.next() % 2)]
        let others = targets.filter { $0 != files[path]?.content }
        files[path]?.content = others[Int(random.next() % UInt64(others.count))]
        return named(Edit(kind: .retargeted, path: path))
    }

    /// Makes a copy of a hard link, or a hard link of the copy.
    private mutating func relink() -> Edit {
        let isLink = files["src/twin2"]?.letter == "h"
        files["src/twin2"] =
            isLink
            ? File(letter: "f", mode: files["src/twin"]?.mode ?? "644", content: files["src/twin"]?.content ?? "")
            : File(letter: "h", content: "src/twin")
        return named(Edit(kind: .relinked, path: "src/twin2"))
    }

    private func named(_ edit: Edit) -> Edit {
        var edit = edit
        var paths = [edit.path] + [edit.former].compactMap(\.self)
        // Both names of one file.
        if files["src/twin2"]?.letter == "h", edit.path == "src/twin" || edit.path == "src/twin2" {
            paths += ["src/twin", "src/twin2"]
        }
        for path in paths {
            edit.names.insert(path)
            if path == files["link"]?.content { edit.names.insert("link") }
            for (link, file) in files where file.letter == "l" && file.content == "/" + path { edit.names.insert(link) }
            if edit.names.contains("link") || path == "link" { edit.names.insert("f") }
            if path == "src" || path.hasPrefix("src/") { edit.names.insert("way" + path.dropFirst(3)) }
        }
        return edit
    }
}
