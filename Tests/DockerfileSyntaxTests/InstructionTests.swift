import Testing

@testable import DockerfileSyntax

@Suite struct InstructionTests {
    private func first(_ text: String) throws -> Instruction {
        try #require(try DockerfileTests.instructions(text).first)
    }

    private func run(_ text: String) throws -> Run {
        guard case .run(let run) = try first(text).kind else { throw DockerfileError("not a RUN") }
        return run
    }

    struct KindCase: Sendable, CustomTestStringConvertible {
        let text: String
        let kind: Instruction.Kind

        init(_ text: String, _ kind: Instruction.Kind) {
            self.text = text
            self.kind = kind
        }

        var testDescription: String { text }
    }

    private static func pairs(_ pairs: KeyValuePairs<String, String>, isLegacy: Bool = false) -> Assignments {
        Assignments(pairs: pairs.map { Assignment(key: $0.key, value: $0.value) }, isLegacy: isLegacy)
    }

    static let kindCases: [KindCase] = [
        KindCase("ENV a  b  c", .env(pairs(["a": "b  c"], isLegacy: true))),
        KindCase("ENV a=b \"c d\"='e f'", .env(pairs(["a": "b", "\"c d\"": "'e f'"]))),
        KindCase("LABEL a=", .label(pairs(["a": ""]))),
        KindCase("WORKDIR  /a b ", .workdir("/a b")),
        KindCase("USER a b", .user("a b")),
        KindCase("STOPSIGNAL --x 9", .stopsignal("9")),
        KindCase("EXPOSE 80 $P/udp", .expose(["80", "$P/udp"])),
        KindCase("VOLUME [\" /a \",\"/b c\"]", .volume(["/a", "/b c"])),
        KindCase("VOLUME /a [\"/b\"]", .volume(["/a", "[\"/b\"]"])),
        KindCase("MAINTAINER A <b@c>", .maintainer("A <b@c>")),
        KindCase("CMD a  b", .cmd(.shell("a  b"))),
        KindCase("CMD", .cmd(.shell(""))),
        KindCase("CMD []", .cmd(.exec([]))),
        KindCase("CMD -- --x", .cmd(.shell("--x"))),
        KindCase("ENTRYPOINT [\"a\", \"b c\"]", .entrypoint(.exec(["a", "b c"]))),
        KindCase("SHELL [\"a\"]", .shell(["a"])),
        KindCase("SHELL [\"\\ud83d\\ude00\\ud83d\"]", .shell(["😀\u{FFFD}"])),
    ]

    @Test("Each instruction has its type and contents", arguments: kindCases)
    func kinds(_ item: KindCase) throws {
        #expect(try first(item.text).kind == item.kind)
    }

    @Test("ARG declares several variables with and without defaults")
    func declarations() throws {
        guard case .arg(let declarations) = try first("ARG a b= c=\"d=e\"").kind else {
            throw DockerfileError("not an ARG")
        }
        #expect(declarations.map(\.name) == ["a", "b", "c"])
        #expect(declarations.map(\.defaultValue) == [nil, "", "\"d=e\""])
    }

    @Test func runFlags() throws {
        let run = try run(
            "RUN --mount=type=cache,target=/x --network=none --mount=type=bind --security=insecure "
                + "--device=v/c=d,required --device=name=v/e,required=false [\"x\"]")
        #expect(run.mounts == ["type=cache,target=/x", "type=bind"])
        #expect(run.network == .none)
        #expect(run.security == .insecure)
        #expect(run.devices.map(\.name) == ["v/c=d", "v/e"])
        #expect(run.devices.map(\.isRequired) == [true, false])
        #expect(run.command == .exec(["x"]))
        let plain = try self.run("run x")
        #expect(plain.network == .default && plain.security == .sandbox && plain.mounts.isEmpty)
        #expect(try self.run("RUN --mount=from=a$,target=/y x").mounts.count == 1)
    }

    @Test func runHeredocs() throws {
        let run = try run("RUN <<-A cat && <<'B' cat\n\t1\n\t\tA\n\t2\nB\n")
        #expect(run.command == .shell("<<-A cat && <<'B' cat"))
        #expect(run.heredocs.map(\.body) == ["\t1\n", "\t2\n"])
        #expect(run.heredocs.map(\.content) == ["1\n", "\t2\n"])
        #expect(run.heredocs.map(\.expand) == [true, false])
    }

    @Test("COPY has its flags, sources, here-documents and destination")
    func copy() throws {
        let text =
            "COPY --from=B --chown=$U --chmod=755 --link --parents=FALSE --exclude=*.o --exclude=a a b/ <<E /d/\nx\nE"
        guard case .copy(let copy) = try first(text).kind else { throw DockerfileError("not a COPY") }
        let heredoc = Heredoc(name: "E", bytes: "x\n".bytes, expand: true, chomp: false)
        #expect(copy.sources == [.path("a"), .path("b/"), .heredoc(heredoc)])
        #expect(copy.destination == "/d/")
        #expect(copy.from == "B" && copy.chown == "$U" && copy.chmod == "755")
        #expect(copy.link && !copy.parents)
        #expect(copy.excludes == ["*.o", "a"])
        guard case .copy(let plain) = try first("COPY --from= [\"a b\", \"<<E\", \"c\"]").kind else {
            throw DockerfileError("not a COPY")
        }
        #expect(plain.from?.isEmpty == true && plain.chown == nil && !plain.link)
        #expect(plain.sources == [.path("a b"), .path("<<E")])
    }

    @Test func lastHeredocOfANameWins() throws {
        guard case .copy(let copy) = try first("COPY <<A <<'A' /d/\n1\nA\n2\nA\n").kind else {
            throw DockerfileError("not a COPY")
        }
        let bodies = [true, false].map { Heredoc(name: "A", bytes: "2\n".bytes, expand: $0, chomp: false) }
        #expect(copy.sources == bodies.map(CopySource.heredoc))
    }

    @Test("ADD has its flags, and only those that are given")
    func add() throws {
        let text =
            "ADD --checksum=sha256:$C --keep-git-dir --unpack=false --chown=1 --chmod=u+x --link=true --exclude=x http://h/f ."
        guard case .add(let add) = try first(text).kind else { throw DockerfileError("not an ADD") }
        #expect(add.sources == [.path("http://h/f")] && add.destination == ".")
        #expect(add.checksum == "sha256:$C" && add.keepGitDir == true && add.unpack == false)
        #expect(add.chown == "1" && add.chmod == "u+x" && add.link && add.excludes == ["x"])
        guard case .add(let plain) = try first("ADD a b").kind else { throw DockerfileError("not an ADD") }
        #expect(plain.keepGitDir == nil && plain.unpack == nil && plain.checksum == nil)
    }

    @Test("HEALTHCHECK has its durations, retries and command")
    func healthcheck() throws {
        let flags = "--interval=1h2m3.5s --timeout=1ms --start-period=0s --start-interval=+1.5us1s --retries=3"
        guard case .healthcheck(let check) = try first("HEALTHCHECK \(flags) cmd a b").kind else {
            throw DockerfileError("not a HEALTHCHECK")
        }
        #expect(check.test == .command(.shell("a b")))
        #expect(check.interval == 3_723_500_000_000 && check.timeout == 1_000_000)
        #expect(check.startPeriod == 0 && check.startInterval == 1_000_001_500 && check.retries == 3)
        guard case .healthcheck(let none) = try first("HEALTHCHECK --interval=x none").kind else {
            throw DockerfileError("not a HEALTHCHECK")
        }
        #expect(none.test == .none)
    }

    @Test(
        "The instruction inside an ONBUILD is parsed",
        arguments: [
            ("ONBUILD run  x \\\n y", "run  x  y"), ("onbuild COPY --chown=1 x /y", "COPY --chown=1 x /y"),
            ("ONBUILD RUN <<A <<-B\n1\nA\n\t2\n\tB\n", "RUN <<A <<-B\n1\nA\n\t2\nB"),
            ("ONBUILD nope --x y", "nope --x y"),
        ])
    func triggers(_ text: String, _ trigger: String) throws {
        guard case .onbuild(let onbuild) = try first(text).kind else { throw DockerfileError("not an ONBUILD") }
        #expect(onbuild.trigger == trigger)
    }

    @Test func firesTriggers() throws {
        let place = SourceRange(start: .init(line: 4, column: 1), end: .init(line: 4, column: 9))
        let instruction = try Instruction.parseTrigger("RUN <<A <<-B\n1\nA\n\t2\nB", at: place)
        guard case .run(let run) = instruction.kind else { throw DockerfileError("not a RUN") }
        #expect(run.heredocs.map(\.content) == ["1\n", "2\n"])
        #expect(instruction.range == place)
        let failures = [
            "RUN a\nRUN b": "onbuild trigger should be a single expression",
            "RUNN a": "unknown instruction: RUNN (did you mean RUN?)", "ENV a": "ENV must have two arguments",
            "FROM x": "FROM isn't allowed as an ONBUILD trigger",
        ]
        for (text, message) in failures {
            let error = try #require(throws: DockerfileError.self) { try Instruction.parseTrigger(text, at: place) }
            #expect(error.message == message)
            #expect(error.range == place)
        }
    }

    @Test(
        arguments: [
            ("a,b=c", ["a", "b=c"]), ("\"a,b\",\"c\"\"d\"", ["a,b", "c\"d"]), ("a,", ["a", ""]), ("\"\"", [""]),
            (",,", ["", "", ""]),
        ])
    func commaSeparated(_ text: String, _ fields: [String]) throws {
        #expect(try CommaSeparated.fields(text) == fields)
    }

    @Test(
        arguments: [
            ("", "EOF"), ("a=\"b\"", "parse error on line 1, column 3: bare \" in non-quoted field"),
            ("\"a\"b", "parse error on line 1, column 3: extraneous or missing \" in quoted field"),
            ("\"a", "parse error on line 1, column 3: extraneous or missing \" in quoted field"),
        ])
    func rejectsLists(_ text: String, _ message: String) throws {
        #expect(try #require(throws: DockerfileError.self) { try CommaSeparated.fields(text) }.message == message)
    }

    @Test("A mistyped word gets the closest known one as a suggestion")
    func suggestions() {
        #expect(Suggestions.closest(to: "RUNN", among: ["run", "from"]) == "RUN")
        #expect(Suggestions.closest(to: "typ", among: ["target", "type"]) == "type")
        #expect(Suggestions.closest(to: "Tow", among: ["One", "Two"]) == "Two")
        #expect(Suggestions.closest(to: "run", among: ["run", "ran"]) == nil)
        #expect(Suggestions.closest(to: "abc", among: ["xyz"]) == nil)
        #expect(Suggestions.closest(to: "Y", among: ["g"], matchingCase: true) == "g")
    }
}
