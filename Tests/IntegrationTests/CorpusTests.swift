import FoundationEssentials
import SystemPackage
import Testing

/// The expectations of a folder of Dockerfiles/ about its image, in expect.json.
struct Expectation: Decodable, Sendable {
    struct Run: Decodable, Sendable {
        let entrypoint: String?
        let arguments: [String]
        /// All of the standard output.
        let output: String?
        /// All of the standard error.
        let error: String?
    }

    struct Parent: Decodable, Sendable {
        let file: String
        let name: String
    }

    /// The requirements: `debian` is the base image, `apt` the machine's package sources in the context.
    let needs: [String]?
    /// Images that are built first, from other files of the folder.
    let parents: [Parent]?
    let buildArguments: [String]?
    let target: String?
    /// Fields of the image's config, each as a whole.
    let config: [String: JSONValue]?
    /// Fields that the config must not have.
    let absentConfig: [String]?
    let layers: Int?
    /// Every entry of the root file system: mode, owner and path.
    let allFiles: [String]?
    /// Some entries of the root file system.
    let files: [String]?
    /// Paths that must not be there.
    let absent: [String]?
    /// Whole files.
    let contents: [String: String]?
    /// The output of containers.
    let runs: [Run]?
    /// The same about other targets of the file.
    let targets: [String: Expectation]?
}

@Suite("Dockerfiles/", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct CorpusTests {
    static let folder = Lamina.packageRoot.appending("Dockerfiles")

    /// All folders but that of Lamina's own image, whose context is made by scripts/image.
    static let cases = ((try? expectSuccess("ls", folder.string).outputLines) ?? []).filter { $0 != "lamina" }

    static func expectation(of name: String) throws -> Expectation {
        let bytes = try contents(of: folder.appending(name).appending("expect.json"))
        return try JSONDecoder().decode(Expectation.self, from: Data(bytes))
    }

    /// Whether a folder needs a base that this machine cannot make.
    static func isPossible(_ name: String) -> Bool {
        guard let needs = try? expectation(of: name).needs else { return true }
        return !needs.contains("debian") || Machine.canMakeDebian
    }

    @Test func hasWhatPeopleWrite() {
        #expect(Self.cases.count >= 8)
    }

    @Test("Each example Dockerfile gives the expected image", arguments: cases.filter(isPossible))
    func builds(_ name: String) throws {
        let expected = try Self.expectation(of: name)
        let scratch = try Scratch()
        let context = scratch.path.appending(name)
        try expectSuccess("cp", "-r", Self.folder.appending(name).string, context.string)
        let needs = expected.needs ?? []
        if needs.contains("apt") { try DebianBase.addSources(to: context) }
        let lamina = needs.contains("debian") ? try DebianStore.lamina() : Lamina(root: scratch.path.appending("store"))

        for parent in expected.parents ?? [] {
            try lamina.build(context, "-t", parent.name, "-f", context.appending(parent.file).string)
        }
        let image = BuiltImage(lamina: lamina, context: context, scratch: scratch.path, name: "corpus/\(name)")
        try image.check(expected, target: expected.target)
        for (target, expected) in expected.targets ?? [:] { try image.check(expected, target: target) }
    }

    @Test(.enabled(if: cases.allSatisfy(isPossible), Machine.needsDebian))
    func nothingIsLeftOutForWantOfABase() {
        #expect(Self.cases.filter { !Self.isPossible($0) } == [])
    }

    @Test(.enabled(if: Machine.hasPodman, Machine.needsPodman))
    func nothingIsLeftOutForWantOfPodman() throws {
        for name in Self.cases { #expect(try Self.expectation(of: name).runs?.isEmpty == false, "\(name)") }
    }
}

/// One image of the corpus, built once as an image and once as a root file system.
private struct BuiltImage {
    let lamina: Lamina
    let context: FilePath
    let scratch: FilePath
    let name: String

    func check(_ expected: Expectation, target: String?) throws {
        let rootFiles = scratch.appending("root.tar")
        var options = (expected.buildArguments ?? []).flatMap { ["--build-arg", $0] }
        if let target { options += ["--target", target] }
        try lamina.succeeding(["build", "-q", "-t", name] + options + [context.string])
        let export = ["build", "-q", "-o", "type=tar,dest=\(rootFiles)"]
        try lamina.succeeding(export + options + [context.string])

        try checkConfig(expected)
        try checkFiles(expected, in: rootFiles)
        if let runs = expected.runs, Machine.hasPodman { try check(runs) }
    }

    private func checkConfig(_ expected: Expectation) throws {
        let text = try lamina.succeeding("inspect", name).outputText
        let image = try #require(try JSONValue(parsing: text).array?.first)
        for (field, value) in expected.config ?? [:] {
            #expect(image["Config"]?[field] == value, "\(field) of \(name)")
        }
        for field in expected.absentConfig ?? [] {
            let value = image["Config"]?[field] ?? .null
            #expect(value == .null || value == .array([]), "\(field) of \(name)")
        }
        if let layers = expected.layers { #expect(image["RootFS"]?["Layers"]?.array?.count == layers) }
    }

    private func checkFiles(_ expected: Expectation, in archive: FilePath) throws {
        let entries = try TarListing(of: archive).entries
        if let all = expected.allFiles { #expect(entries == all) }
        // What a failure prints is the difference, not the thousands of files of a Debian system.
        let missing = (expected.files ?? []).filter { !entries.contains($0) }
        #expect(missing == [], "\(name)")
        let unwanted = (expected.absent ?? []).filter { path in entries.contains { $0.hasSuffix(" \(path)") } }
        #expect(unwanted == [], "\(name)")
        for (path, content) in expected.contents ?? [:] {
            #expect(try expectSuccess("tar", "-xOf", archive.string, path).outputText == content)
        }
    }

    private func check(_ runs: [Expectation.Run]) throws {
        let archive = scratch.appending("image.tar")
        try lamina.succeeding("save", "-o", archive.string, name)
        try Podman.load(archive)
        for run in runs {
            let finished = try Podman.run("docker.io/\(name)", entrypoint: run.entrypoint, run.arguments)
            #expect(finished.status == 0, "\(finished.errorText)")
            if let output = run.output { #expect(finished.outputText == output) }
            if let error = run.error { #expect(finished.errorText == error) }
        }
    }
}

/// The entries of a tar archive as GNU tar sees them: `-rw-r--r-- 0/0 path`, with ` -> target` after a link's path.
struct TarListing {
    let entries: [String]

    init(of archive: FilePath) throws {
        let lines = try expectSuccess("tar", "--numeric-owner", "-tvf", archive.string).outputLines
        entries = lines.map { line in
            // mode owner size date time path…
            let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            return words.count == 6 ? "\(words[0]) \(words[1]) \(words[5])" : line
        }
    }
}
