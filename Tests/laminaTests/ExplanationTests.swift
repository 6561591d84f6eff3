import Engine
import Linux
import OCI
import Records
import Solver
import Testing
import Trees

@testable import lamina

/// A step of a made-up build. Its keys are made from its parts and those of its inputs, as those of real steps are.
private struct Fake: Sendable {
    var label: String
    var kind = RecordedStep.Kind.run
    var parts: [KeyPart: [String]] = [:]
    var outcome = RecordedStep.Outcome.ran
    /// The positions of the inputs; the step before, unless given.
    var inputs: [Int]?
    /// The content key; the definition key, unless given.
    var gives: String?
    var ignoresCache = false

    static func run(_ label: String, _ parts: [KeyPart: [String]] = [:], _ outcome: RecordedStep.Outcome = .ran) -> Fake
    {
        var parts = parts
        if parts[.command] == nil { parts[.command] = ["/bin/sh", "-c", String(StepTitle(label).text.dropFirst(4))] }
        return Fake(label: label, parts: parts, outcome: outcome)
    }

    static func copy(_ label: String, _ parts: [KeyPart: [String]] = [:], _ outcome: RecordedStep.Outcome = .ran)
        -> Fake
    {
        Fake(label: label, kind: .copy, parts: parts, outcome: outcome)
    }

    static func from(_ image: String, _ digest: String, label: String = "[1/9] FROM") -> Fake {
        Fake(
            label: "\(label) \(image)", kind: .image, parts: [.image: [image], .digest: ["sha256:\(digest)"]],
            inputs: [])
    }

    func with(_ outcome: RecordedStep.Outcome) -> Fake {
        var copy = self
        copy.outcome = outcome
        return copy
    }

    func giving(_ result: String) -> Fake {
        var copy = self
        copy.gives = result
        return copy
    }

    func on(_ inputs: Int...) -> Fake {
        var copy = self
        copy.inputs = inputs
        return copy
    }

    var rerun: Fake {
        var copy = self
        copy.ignoresCache = true
        return copy
    }
}

/// Makes builds of fakes, and remembers what went into their keys.
private struct Builds {
    private(set) var subjects: [Explanation.Subject] = []
    private(set) var ingredients: [Digest: KeyIngredients] = [:]

    mutating func add(_ fakes: [Fake]) {
        var details = BuildDetails()
        var results: [String] = []
        for (position, fake) in fakes.enumerated() {
            var step = RecordedStep(label: fake.label, kind: fake.kind)
            step.inputs = fake.inputs ?? [position - 1]
            step.outcome = fake.outcome
            step.ignoresCache = fake.ignoresCache
            step.number = position + 1
            let definition = key(fake, base: step.inputs.first.flatMap { details.steps[$0].definition?.hex })
            step.definition = definition
            if !fake.outcome.isHit || fake.outcome == .unchanged {
                step.content = key(fake, base: step.inputs.first.map { results[$0] })
            }
            results.append(fake.gives ?? definition.hex)
            details.steps.append(step)
        }
        subjects.append(
            Explanation.Subject(id: "b\(subjects.count)", started: Timestamp(seconds: 0), details: details))
    }

    private mutating func key(_ fake: Fake, base: String?) -> Digest {
        var key = KeyIngredients(kind: fake.kind.rawValue)
        if let base { key.add(.base, .string(base)) }
        for (part, values) in fake.parts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let isText = part == .image || part == .digest
            key.add(part, isText ? .string(values[0]) : .array(values.map { .string($0) }))
        }
        let digest = Digest(of: key.encoded)
        ingredients[digest] = key
        return digest
    }

    /// The explanation of the last build, compared with earlier ones, the newest first.
    func explanation() -> Explanation {
        let keys = ingredients
        return Explanation(
            of: subjects[subjects.count - 1], former: subjects.dropLast().reversed(),
            keys: KeySource(ingredients: { keys[$0] }))
    }
}

@Suite struct ExplanationTests {
    /// The lines about the steps, without the header.
    private func explain(_ builds: [Fake]...) -> [String] {
        var all = Builds()
        for build in builds { all.add(build) }
        let text = ExplanationText(explanation: all.explanation(), now: Timestamp(seconds: 120))
        return text.lines().dropFirst().filter { !$0.isEmpty }.map { line in
            // The words matter here, and not the columns.
            line.split(separator: " ").joined(separator: " ")
        }
    }

    private let base = Fake.from("alpine:3", "aaaa")

    @Test func theFirstBuildHasNothingToCompareWith() {
        #expect(explain([base, .run("[2/2] RUN a")]) == ["base 1/9 FROM alpine:3", "built 2/2 RUN a"])
    }

    @Test func nothingIsSaidOfHits() {
        let steps = [base, Fake.run("[2/2] RUN a")]
        #expect(
            explain(steps, [base.with(.cached), .run("[2/2] RUN a", [:], .cached)])
                == ["same 1/9 FROM alpine:3", "CACHED 2/2 RUN a"])
    }

    @Test(
        arguments: [
            ([KeyPart.command: ["/bin/sh", "-c", "b"]], "the command changed: \"a\" -> \"b\""),
            ([.command: ["/bin/bash", "-c", "a"]], "SHELL changed: /bin/sh -c -> /bin/bash -c"),
            ([.command: ["a", "x"]], "the command changed: \"/bin/sh -c a\" -> \"a x\""),
            ([.command: ["/bin/sh", "-c", "a\nb"]], "the command changed: a line was added after line 1"),
            ([.environment: ["A=1", "B=3"]], "ENV B changed: \"2\" -> \"3\""),
            ([.environment: ["A=1"]], "ENV B was removed, it was \"2\""),
            ([.environment: ["A=1", "B=2", "C=x y"]], "ENV C was added: \"x y\""),
            ([.environment: ["A=0", "B=2"], .arguments: ["A"]], "ARG A changed: \"1\" -> \"0\""),
            ([.environment: ["B=2", "A=1"]], "the order of the environment changed"),
            (
                [.environment: ["A=1", "B=2", Redaction.variable("TOKEN=s3cr3t")]],
                "ENV TOKEN was added (values that may be secret are not kept)"
            ),
            ([.user: ["app"]], "USER was added: \"app\""),
            ([.directory: ["/x"]], "WORKDIR changed: \"/\" -> \"/x\""),
            ([.network: ["none"]], "--network changed: \"default\" -> \"none\""),
            ([.mounts: ["type=tmpfs,target=/x"]], "--mount was added: \"type=tmpfs,target=/x\""),
            ([.files: ["00"]], "its files changed; which ones is not recorded any more"),
        ] as [([KeyPart: [String]], String)])
    func theIngredientThatChangedIsNamed(_ change: [KeyPart: [String]], _ sentence: String) {
        let parts: [KeyPart: [String]] = [
            .command: ["/bin/sh", "-c", "a"], .environment: ["A=1", "B=2"], .directory: ["/"], .network: ["default"],
        ]
        let changed = parts.merging(change) { $1 }
        let lines = explain(
            [base, .run("[2/2] RUN a", parts)], [base, .run("[2/2] RUN a", changed, .ran)])
        #expect(
            lines == [
                "It began with [2/2] RUN: \(sentence)", "same 1/9 FROM alpine:3", "rebuilt 2/2 RUN a", sentence,
            ])
    }

    @Test func whatFollowsNamesTheStepItBeganWith() {
        let steps = [base, Fake.run("[2/4] RUN a"), .run("[3/4] RUN b"), .run("[4/4] RUN c")]
        var changed = steps
        changed[1].parts[.user] = ["1"]
        #expect(
            explain(steps, changed) == [
                "It began with [2/4] RUN: USER was added: \"1\"", "same 1/9 FROM alpine:3", "rebuilt 2/4 RUN a",
                "USER was added: \"1\"", "rebuilt 3/4 RUN b", "because [2/4] RUN changed", "rebuilt 4/4 RUN c",
                "because [2/4] RUN changed",
            ])
    }

    @Test func aStepThatChangedItselfSaysSoFirst() {
        let steps = [base, Fake.run("[2/3] RUN a"), .run("[3/3] RUN b")]
        var changed = steps
        changed[1].parts[.user] = ["1"]
        changed[2].parts[.user] = ["2"]
        #expect(explain(steps, changed).last == "USER was added: \"2\"; because [2/3] RUN changed")
    }

    @Test func aBaseThatMovedIsNamedWithItsDigests() {
        let steps = [base, Fake.run("[2/2] RUN a")]
        #expect(
            explain(steps, [.from("alpine:3", "bbbb"), steps[1]]) == [
                "It began with [1/9] FROM: alpine:3 moved: aaaa -> bbbb", "changed 1/9 FROM alpine:3",
                "alpine:3 moved: aaaa -> bbbb", "rebuilt 2/2 RUN a", "because [1/9] FROM changed",
            ])
        #expect(
            explain(steps, [.from("alpine:4", "bbbb"), steps[1]])[2] == "the base changed: alpine:3 -> alpine:4")
    }

    @Test func equalContentCutsTheRebuildOff() {
        let steps = [base, Fake.run("[2/3] RUN a").giving("same"), .run("[3/3] RUN b")]
        var changed = steps
        changed[1].parts[.user] = ["1"]
        changed[2].outcome = .unchanged
        #expect(
            explain(steps, changed).suffix(2) == [
                "CACHED 3/3 RUN b", "[2/3] RUN changed, but the files this step gets are the same",
            ])
    }

    @Test func aRecordThatIsGoneWasPruned() {
        let steps = [base, Fake.run("[2/3] RUN a"), .run("[3/3] RUN b")]
        #expect(
            explain(steps, steps).suffix(4) == [
                "rebuilt 2/3 RUN a", "nothing changed, but its result was pruned from the cache", "rebuilt 3/3 RUN b",
                "nothing changed, but its result was pruned from the cache",
            ])
        // The rerun of a command that does not give the same twice.
        #expect(
            explain(steps, [base, steps[1].giving("other"), steps[2]]).suffix(2) == [
                "rebuilt 3/3 RUN b", "because [2/3] RUN ran again and gave other files",
            ])
    }

    @Test func noCacheIsAReason() {
        let steps = [base, Fake.run("[2/3] RUN a"), .run("[3/3] RUN b")]
        #expect(
            explain(steps, [base, steps[1].rerun.giving("x"), steps[2]]) == [
                "It began with [2/3] RUN: --no-cache", "same 1/9 FROM alpine:3", "rebuilt 2/3 RUN a", "--no-cache",
                "rebuilt 3/3 RUN b", "because [2/3] RUN ran again and gave other files",
            ])
    }

    @Test func stepsAreComparedWithTheLastBuildThatEndedThem() {
        let steps = [base, Fake.run("[2/3] RUN a"), .run("[3/3] RUN b")]
        var broken = steps
        broken[1] = Fake.run("[2/3] RUN a", [.user: ["1"]], .failed)
        broken[2].outcome = .notReached
        var fixed = steps
        fixed[1].parts[.user] = ["2"]
        let lines = explain(steps, broken, fixed)
        #expect(lines.contains("USER was added: \"2\""), "\(lines)")
        // The same again after a failure.
        #expect(
            explain([base, broken[1], broken[2]], [base, broken[1].with(.ran), steps[2]]).suffix(4) == [
                "rebuilt 2/3 RUN a", "nothing changed; in the build before it failed", "rebuilt 3/3 RUN b",
                "nothing changed; in the build before it was not reached",
            ])
    }

    @Test func newAndMovedStepsAreMatched() {
        let steps = [base, Fake.run("[2/3] RUN a"), .run("[3/3] RUN b")]
        let longer = [
            base, Fake.run("[2/4] RUN a", [:], .cached), .copy("[3/4] COPY x /x"), .run("[4/4] RUN b"),
        ]
        #expect(
            explain(steps, longer).suffix(4) == [
                "built 3/4 COPY x /x", "the step is new", "rebuilt 4/4 RUN b", "because [3/4] COPY is new",
            ])
        #expect(
            explain(longer, [base, longer[1], Fake.run("[3/3] RUN b")]).last
                == "[3/4] COPY, which came before it, was removed")
        let swapped = [base, Fake.run("[2/3] RUN b"), .run("[3/3] RUN a")]
        #expect(explain(steps, swapped).contains("the steps before it are in another order"))
    }

    @Test func stagesAreToldApart() {
        let steps = [
            Fake.from("golang", "aaaa", label: "[build 1/2] FROM"), .run("[build 2/2] RUN make"),
            .from("alpine", "bbbb", label: "[stage-1 1/3] FROM"),
            Fake.copy("[stage-1 2/3] COPY --from=build /a /a", [.files: ["1"]]).on(2, 1),
            .run("[stage-1 3/3] RUN c"),
        ]
        var changed = steps
        changed[1].parts[.environment] = ["A=1"]
        changed[3].parts[.files] = ["2"]
        #expect(
            explain(steps, changed) == [
                "It began with [build 2/2] RUN: ENV A was added: \"1\"", "build", "same 1/2 FROM golang",
                "rebuilt 2/2 RUN make", "ENV A was added: \"1\"", "stage-1", "same 1/3 FROM alpine",
                "rebuilt 2/3 COPY --from=build /a /a", "because [build 2/2] RUN changed", "rebuilt 3/3 RUN c",
                "because [build 2/2] RUN changed",
            ])
    }

    @Test func programsGetADocument() throws {
        var builds = Builds()
        builds.add([base, .run("[2/2] RUN a", [.environment: ["A=1"]])])
        builds.add([base, .run("[2/2] RUN a", [.environment: ["A=2"]])])
        let json = builds.explanation().json
        #expect(json["build"]?.string == "b1" && json["comparedWith"]?.string == "b0")
        #expect(json["beganWith"]?.integer == 1)
        let cause = try #require(json["steps"]?.array?.last?["causes"]?.array?.first)
        #expect(
            cause.text()
                == #"{"cause":"variable","text":"ENV A changed: \"1\" -\u003e \"2\"","name":"A","declaredBy":"ENV","from":"1","to":"2"}"#
        )
    }
}

@Suite struct CauseTextTests {
    private func sentence(_ changes: FileChanges.Change..., limit: Int = 3) -> String {
        CauseText(name: { "\($0)" }, verb: { _ in "changed" }, fileLimit: limit).sentence(.files(FileChanges(changes)))
    }

    @Test func filesAreNamedWithWhatChanged() {
        #expect(
            sentence(.init(path: "src/main.c", kind: .changed([.content(1200, 1300)])))
                == "src/main.c changed (content, 1.2kB -> 1.3kB)")
        #expect(
            sentence(
                .init(path: "a", kind: .changed([.content(5, 5), .mode(0o644, 0o4755), .owner([0, 0], [1, 2])])))
                == "a changed (content; mode 0644 -> 4755; owner 0:0 -> 1:2)")
        #expect(sentence(.init(path: "l", kind: .changed([.linkTarget("a", "b")]))) == "l changed (link to a -> b)")
        #expect(sentence(.init(path: "l", kind: .changed([.kind("file", "link")]))) == "l changed (a file -> a link)")
        #expect(
            sentence(.init(path: "l", kind: .changed([.linkTarget("", "b"), .hardLink("a", "")])))
                == "l changed (now a link to b; no longer a hard link to a)")
        #expect(
            sentence(.init(path: "l", kind: .changed([.linkTarget("a", ""), .hardLink("a", "b")])))
                == "l changed (no longer a link to a; now a hard link to b)")
        #expect(sentence(.init(path: "l", kind: .changed([.attributes]))) == "l changed (extended attributes)")
        #expect(
            sentence(.init(path: "b", kind: .renamed(from: "a")), .init(path: "c", kind: .added))
                == "a was renamed to b; c was added")
    }

    @Test func manyFilesAreCounted() {
        let changes = FileChanges(
            [FileChanges.Change(path: "a", kind: .changed([.content(1, 2)]))]
                + ["b", "c", "d"].map { .init(path: $0, kind: .added) } + [.init(path: "e", kind: .removed)])
        let text = CauseText(name: { "\($0)" }, verb: { _ in "changed" }, fileLimit: 1)
        #expect(text.sentence(.files(changes)) == "a changed (content, 1B -> 2B); 3 more files added, 1 removed")
    }

    @Test func longTextsAreCutToTheDifference() {
        let long = String(repeating: "x", count: 100)
        let cause = MissCause.command(from: long + " one " + long, to: long + " two " + long)
        let text = CauseText(name: { "\($0)" }, verb: { _ in "changed" }).sentence(cause)
        #expect(text.contains(" one x") && text.contains(" two x") && text.count < 160, "\(text)")
    }

    @Test func whatOthersWroteIsHarmless() {
        #expect(sentence(.init(path: "a\u{1b}[2Jb", kind: .added)) == "ab was added")
    }
}
