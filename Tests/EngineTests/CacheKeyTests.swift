import Engine
import Execution
import Frontend
import Linux
import SystemPackage
import Testing
import Trees

/// A change between two builds, and what then runs again.
struct KeyCase: CustomTestStringConvertible, Sendable {
    let name: String
    let setup: KeySetup
    let changed: KeySetup
    let misses: Set<String>

    var testDescription: String { name }

    init(
        _ name: String, _ dockerfile: String? = nil, misses: Set<String>, prepare: (inout KeySetup) -> Void = { _ in },
        change: (inout KeySetup) -> Void
    ) {
        var setup = KeySetup()
        if let dockerfile { setup.dockerfile = dockerfile }
        prepare(&setup)
        self.name = name
        self.setup = setup
        change(&setup)
        changed = setup
        self.misses = misses
    }
}

/// The parts of a step's key, each tested by a change of it alone. Every build has a context of its own,
/// so all of them also say that neither its place nor the time of its making counts.
@Suite(.enabled(if: IsolationModes.probe().best != nil, "RUN needs root with CAP_SYS_ADMIN"))
struct CacheKeyTests {
    private static let copyF1 = "COPY f1 /f1"
    private static let copySrc = "COPY src /src"
    private static let run = "RUN echo one"
    private static let all: Set<String> = [copyF1, copySrc, run]
    private static let fromSrc: Set<String> = [copySrc, run]

    static let files: [KeyCase] = [
        KeyCase("nothing", misses: []) { _ in },
        KeyCase("modification times", misses: []) { $0.time = 1_600_000_000 },
        KeyCase("the owner of the context", misses: []) { $0.owner = 1000 },
        KeyCase("a file that nothing copies", misses: []) { $0.file("other/x", is: "f other/x 644 changed") },
        KeyCase("the bytes of a file", misses: all) { $0.file("f1", is: "f f1 644 two") },
        KeyCase("the mode of a file", misses: all) { $0.file("f1", is: "f f1 600 one") },
        KeyCase("the bytes of a file in a directory", misses: fromSrc) { $0.file("src/b", is: "f src/b 600 c") },
        KeyCase("the mode of a file in a directory", misses: fromSrc) { $0.file("src/b", is: "f src/b 755 b") },
        KeyCase("the name of a file in a directory", misses: fromSrc) { $0.file("src/b", is: "f src/c 600 b") },
        KeyCase("one more file in a directory", misses: fromSrc) { $0.files.append("f src/new 644 -") },
        KeyCase("one more directory in a directory", misses: fromSrc) { $0.files.append("d src/new") },
        KeyCase("one file less in a directory", misses: fromSrc) { $0.file("src/b", is: nil) },
        KeyCase("where a link leads", misses: fromSrc) { $0.file("src/link", is: "l src/link 777 b") },
        KeyCase("a link in place of a file", misses: fromSrc) { setup in
            setup.file("src/a", is: "f src/b2 600 a")
            setup.files.append("l src/a 777 b2")
        },
        KeyCase("a file in place of a directory", misses: fromSrc, prepare: { $0.files.append("d src/n") }) {
            $0.file("src/n", is: "f src/n 644 -")
        },
        KeyCase("an ignore file for what nothing copies", misses: []) { $0.files.append("f .dockerignore 644 other") },
        KeyCase("an ignore file", misses: fromSrc) { $0.files.append("f .dockerignore 644 src/b") },
        KeyCase("hard links", misses: fromSrc) { $0.file("src/b", is: "h src/b 600 src/a") },
        KeyCase(
            "a copy in place of a hard link", misses: fromSrc, prepare: { $0.file("src/b", is: "h src/b 600 src/a") }
        ) { $0.file("src/b", is: "f src/b 600 a") },
        KeyCase(
            "the other file of a hard link", misses: fromSrc,
            prepare: { $0.files += ["f src/c 644 a", "h src/d 644 src/a"] }
        ) { $0.file("src/d", is: "h src/d 644 src/c") },
        KeyCase("a hard link to a file that is not copied", misses: []) { $0.files.append("h other/a 644 src/a") },
        KeyCase("the mode of the directory that is copied", misses: []) { $0.file("src", is: "d src 700") },
    ]

    private static func kept(_ flags: String, _ word: String) -> String {
        "FROM lamina/base AS s\nCOPY src /d/src\nRUN chmod 755 /d /d/src\n"
            + "FROM scratch\nCOPY \(flags) \(word) /o/"
    }

    /// The directories that `--parents` makes from the source.
    static let parents: [KeyCase] = [
        KeyCase(
            "the mode of a kept directory", "FROM scratch\nCOPY --parents src/a /o/",
            misses: ["COPY --parents src/a /o/"]
        ) { $0.file("src", is: "d src 700") },
        KeyCase(
            "the mode of a directory that a wildcard keeps", "FROM scratch\nCOPY --parents */a /o/",
            misses: ["COPY --parents */a /o/"]
        ) { $0.file("src", is: "d src 700") },
        KeyCase(
            "the mode of a directory before the pivot", "FROM scratch\nCOPY --parents src/./a /o/", misses: []
        ) { $0.file("src", is: "d src 700") },
        KeyCase(
            "the mode of a directory that an exception keeps",
            "FROM scratch\nCOPY --parents --exclude=src --exclude=!src/a src /o/",
            misses: ["COPY --parents --exclude=src --exclude=!src/a src /o/"]
        ) { $0.file("src", is: "d src 700") },
        KeyCase(
            "the mode of a directory of which nothing is kept", "FROM scratch\nCOPY --parents src/a */x /o/",
            misses: [],
            prepare: { $0.files.append("d none") }
        ) { $0.file("none", is: "d none 700") },
        KeyCase(
            "the mode of a kept directory with --link", "FROM scratch\nCOPY --link --parents src/a /o/",
            misses: ["COPY --link --parents src/a /o/"]
        ) { $0.file("src", is: "d src 700") },
        KeyCase(
            "the mode of a kept directory of a stage", kept("--parents --from=s", "/d/src/a"),
            misses: ["RUN chmod 700 /d /d/src", "COPY --parents --from=s /d/src/a /o/"]
        ) { $0.replace("755", with: "700") },
        KeyCase(
            "the owner of a kept directory of a stage", kept("--parents --from=s", "/d/*/a"),
            misses: ["RUN chmod 755 /d /d/src; chown 5 /d", "COPY --parents --from=s /d/*/a /o/"]
        ) { $0.replace("755 /d /d/src", with: "755 /d /d/src; chown 5 /d") },
        KeyCase(
            "the mode of a directory of a stage before the pivot", kept("--parents --from=s", "/d/src/./a"),
            misses: ["RUN chmod 700 /d /d/src"]
        ) { $0.replace("755", with: "700") },
        KeyCase(
            "--parents", "FROM scratch\nCOPY src/a /o/", misses: ["COPY --parents src/a /o/"]
        ) { $0.replace("COPY", with: "COPY --parents") },
        KeyCase("--link", "FROM scratch\nCOPY src/a /o/", misses: []) { $0.replace("COPY", with: "COPY --link") },
    ]

    /// With another name or a pattern the step runs again, but gives the same layer: what follows does not.
    static let copies: [KeyCase] = [
        KeyCase("another name of the source", misses: ["COPY f1x /f1"]) {
            $0.replace("COPY f1 ", with: "COPY f1x ")
        },
        KeyCase(
            "the same name in another directory", "FROM lamina/base\nCOPY a/f /f", misses: [],
            prepare: { $0.files = ["d a", "f a/f 644 -", "d b", "f b/f 644 -"] }
        ) { $0.replace("a/f", with: "b/f") },
        KeyCase("the target", misses: ["COPY f1 /f2", copySrc, run]) { $0.replace("/f1", with: "/f2") },
        KeyCase("the target as seen from /", misses: []) { $0.replace(" /f1", with: " f1") },
        KeyCase("--chown", misses: ["COPY --chown=1 f1 /f1", copySrc, run]) {
            $0.replace("COPY f1", with: "COPY --chown=1 f1")
        },
        KeyCase("--chmod", misses: ["COPY --chmod=600 f1 /f1", copySrc, run]) {
            $0.replace("COPY f1", with: "COPY --chmod=600 f1")
        },
        KeyCase("a pattern in place of a name", misses: ["COPY f[1] /f1"]) {
            $0.replace("COPY f1", with: "COPY f[1]")
        },
        KeyCase("--exclude", misses: ["COPY --exclude=b src /src", run]) {
            $0.replace("COPY src", with: "COPY --exclude=b src")
        },
        KeyCase("the keyword's case", misses: []) { $0.replace("COPY src", with: "copy   src") },
        KeyCase(
            "a file in the Dockerfile", "FROM lamina/base\nCOPY <<E /e\none\nE", misses: ["COPY <<E /e"]
        ) { $0.replace("one", with: "two") },
        KeyCase(
            "a stage that runs anew with the same files",
            "FROM lamina/base AS s\nRUN echo 1 >/x; echo y >/y\nFROM lamina/base\nCOPY --from=s /y /y\nRUN echo z",
            misses: ["RUN echo 2 >/x; echo y >/y"]
        ) { $0.replace("echo 1", with: "echo 2") },
        KeyCase(
            "the file that a stage gives",
            "FROM lamina/base AS s\nRUN echo 1 >/x\nFROM lamina/base\nCOPY --from=s /x /x\nRUN echo z",
            misses: ["RUN echo 2 >/x", "COPY --from=s /x /x", "RUN echo z"]
        ) { $0.replace("echo 1", with: "echo 2") },
        KeyCase(
            "the name of a stage",
            "FROM lamina/base AS s\nRUN echo 1 >/x\nFROM lamina/base\nCOPY --from=s /x /x", misses: []
        ) { setup in
            setup.replace("AS s", with: "AS t")
            setup.replace("from=s", with: "from=t")
        },
        KeyCase(
            "a stage made anew on request",
            "FROM lamina/base AS s\nRUN echo y >/y\nFROM lamina/base\nCOPY --from=s /y /y\nRUN echo z",
            misses: ["RUN echo y >/y"]
        ) { $0.noCache = .stages(["s"]) },
    ]

    static let commands: [KeyCase] = [
        KeyCase("the command", misses: ["RUN echo two"]) { $0.replace("echo one", with: "echo two") },
        KeyCase("spaces in the command", misses: ["RUN echo  one"]) { $0.replace("echo one", with: "echo  one") },
        KeyCase("the keyword's case", misses: []) { $0.replace("RUN echo", with: "run  echo") },
        KeyCase("a variable", misses: [run]) { $0.replace("ENV E=1", with: "ENV E=2") },
        KeyCase("a variable more", misses: [run]) { $0.replace("ENV E=1", with: "ENV E=1 F=1") },
        KeyCase("an argument that is declared", misses: [run]) { $0.arguments = [("MODE", "2")] },
        KeyCase("the default of an argument", misses: [run]) { $0.replace("MODE=1", with: "MODE=2") },
        KeyCase("the default, said by the user", misses: []) { $0.arguments = [("MODE", "1")] },
        KeyCase("an argument that is not declared", misses: []) { $0.arguments = [("OTHER", "2")] },
        KeyCase("a proxy", misses: []) { $0.arguments = [("HTTP_PROXY", "http://proxy:1"), ("no_proxy", "x")] },
        KeyCase("labels", misses: []) { $0.labels = [("a", "b")] },
        KeyCase("LABEL, EXPOSE, CMD", misses: []) {
            $0.replace("ENV", with: "LABEL a=b\nEXPOSE 80\nCMD [\"x\"]\nENV")
        },
        KeyCase("SOURCE_DATE_EPOCH", misses: []) { $0.arguments = [("SOURCE_DATE_EPOCH", "1000")] },
        KeyCase("the user", misses: [run]) { $0.replace("ENV", with: "USER 1000\nENV") },
        KeyCase("the directory", misses: ["WORKDIR /tmp", run]) { $0.replace("ENV", with: "WORKDIR /tmp\nENV") },
        KeyCase("the shell", misses: [run]) { $0.replace("ENV", with: "SHELL [\"/bin/sh\", \"-ec\"]\nENV") },
        KeyCase("the network", misses: ["RUN --network=none echo one"]) {
            $0.replace("RUN", with: "RUN --network=none")
        },
        KeyCase("comments and blank lines", misses: []) { $0.replace("RUN", with: "# a comment\n\nRUN") },
        KeyCase("a script in the Dockerfile", "FROM lamina/base\nRUN <<E\necho 1\nE", misses: ["RUN <<E (echo 2)"]) {
            $0.replace("echo 1", with: "echo 2")
        },
        KeyCase("the base", misses: all.union(["COPY --from=b / /", "COPY other/x /zz"])) {
            $0.replace(
                "FROM lamina/base",
                with: "FROM lamina/base AS b\nFROM scratch\nCOPY --from=b / /\nCOPY other/x /zz")
        },
        KeyCase("a base that comes out the same", misses: ["COPY --from=b / /"]) {
            $0.replace("FROM lamina/base", with: "FROM lamina/base AS b\nFROM scratch\nCOPY --from=b / /")
        },
        KeyCase("--no-cache", misses: all) { $0.noCache = .all },
    ]

    private static func mount(_ mount: String) -> String { "FROM lamina/base\nRUN --mount=\(mount) echo one" }
    private static func mounted(_ mount: String) -> Set<String> { ["RUN --mount=\(mount) echo one"] }

    static let mounts: [KeyCase] = [
        KeyCase("a mounted file", mount("source=src,target=/m"), misses: mounted("source=src,target=/m")) {
            $0.file("src/b", is: "f src/b 600 c")
        },
        KeyCase("a file beside what is mounted", mount("source=src,target=/m"), misses: []) {
            $0.file("f1", is: "f f1 644 two")
        },
        KeyCase("where it is mounted", mount("source=src,target=/m"), misses: mounted("source=src,target=/n")) {
            $0.replace("/m", with: "/n")
        },
        KeyCase("writing to it", mount("source=src,target=/m"), misses: mounted("source=src,target=/m,rw")) {
            $0.replace("/m", with: "/m,rw")
        },
        KeyCase("the name of a cache", mount("type=cache,target=/c"), misses: mounted("type=cache,target=/c,id=x")) {
            $0.replace("/c", with: "/c,id=x")
        },
        KeyCase("the place of a cache", mount("type=cache,target=/c"), misses: mounted("type=cache,target=/d")) {
            $0.replace("/c", with: "/d")
        },
        KeyCase("the size of a tmpfs", mount("type=tmpfs,target=/t"), misses: mounted("type=tmpfs,target=/t,size=1m")) {
            $0.replace("/t", with: "/t,size=1m")
        },
        KeyCase("the value of a secret", mount("type=secret,id=s"), misses: [], prepare: { $0.secrets = ["s": "1"] }) {
            $0.secrets = ["s": "2"]
        },
        KeyCase("a secret that is there", mount("type=secret,id=s"), misses: []) { $0.secrets = ["s": "2"] },
        KeyCase("the name of a secret", mount("type=secret,id=s"), misses: mounted("type=secret,id=t")) {
            $0.replace("id=s", with: "id=t")
        },
        KeyCase("a secret's variable", mount("type=secret,id=s"), misses: mounted("type=secret,id=s,env=V")) {
            $0.replace("id=s", with: "id=s,env=V")
        },
        KeyCase(
            "a file of a mounted stage",
            "FROM lamina/base AS s\nRUN echo 1 >/x\n" + "FROM lamina/base\n"
                + "RUN --mount=from=s,source=/x,target=/x cat /x",
            misses: ["RUN echo 2 >/x", "RUN --mount=from=s,source=/x,target=/x cat /x"]
        ) { $0.replace("echo 1", with: "echo 2") },
        KeyCase(
            "a file beside the mounted one of a stage",
            "FROM lamina/base AS s\nRUN echo 1 >/x; echo y >/y\n"
                + "FROM lamina/base\nRUN --mount=from=s,source=/y,target=/y cat /y",
            misses: ["RUN echo 2 >/x; echo y >/y"]
        ) { $0.replace("echo 1", with: "echo 2") },
    ]

    @Test(arguments: files) func filesOfTheContext(_ item: KeyCase) async throws { try await check(item) }
    @Test("The key of COPY changes with the directories that it keeps", arguments: parents)
    func keepingParents(_ item: KeyCase) async throws { try await check(item) }
    @Test("The key of COPY changes with what changes its result", arguments: copies)
    func copying(_ item: KeyCase) async throws { try await check(item) }
    @Test("The key of RUN changes with what changes its result", arguments: commands)
    func running(_ item: KeyCase) async throws { try await check(item) }
    @Test("The key of a mount changes with what the command sees", arguments: mounts)
    func mounting(_ item: KeyCase) async throws { try await check(item) }

    private func check(_ item: KeyCase) async throws {
        let fixture = try KeyFixture()
        let first = try await fixture.build(item.setup)
        #expect(!first.isEmpty)
        let missed = try await fixture.build(item.changed)
        #expect(missed == item.misses, "\(missed)")
        // The former records are still there.
        if item.setup.noCache == .none { #expect(try await fixture.build(item.setup).isEmpty) }
    }
}
