import Glibc
import SystemPackage
import Testing

/// Bad input is an error of one sentence, with exit code 1, and changes nothing.
@Suite("Bad input", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct BadInputTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let dockerfile: String?
        var options: [String] = []
        /// Text that the error contains.
        let message: String
        /// The line it blames.
        var line: Int?
    }

    static let cases = [
        Case(testDescription: "no Dockerfile", dockerfile: nil, message: "no such file or directory"),
        Case(
            testDescription: "unknown instruction", dockerfile: "FROM scratch\nFRUM x\n",
            message: "unknown instruction: FRUM (did you mean FROM?)", line: 2),
        Case(
            testDescription: "missing source", dockerfile: "FROM scratch\n\nCOPY nope /x\n",
            message: "\"/nope\": not found",
            line: 3),
        Case(
            testDescription: "unknown target", dockerfile: "FROM scratch AS a\nCOPY Dockerfile /\n",
            options: ["--target", "b"], message: "target stage \"b\" could not be found"),
        Case(
            testDescription: "unreachable base", dockerfile: "FROM localhost:1/none\n", message: "localhost:1/none",
            line: 1),
        Case(
            testDescription: "unreachable stage", dockerfile: "FROM scratch\nCOPY --from=localhost:1/none /x /x\n",
            message: "localhost:1/none", line: 2),
        Case(testDescription: "empty file", dockerfile: "\n# nothing\n", message: "file with no instructions"),
        Case(
            testDescription: "no stage", dockerfile: "RUN true\n", message: "no build stage in current context", line: 1
        ),
        Case(
            testDescription: "unknown user", dockerfile: "FROM lamina/base\nUSER nobody-knows\nRUN true\n",
            message: "nobody-knows", line: 3),
        Case(
            testDescription: "no such program", dockerfile: "FROM lamina/base\nRUN [\"/no/program\"]\n",
            message: "/no/program", line: 2),
        Case(
            testDescription: "bad flag", dockerfile: "FROM scratch\nCOPY --nope=1 a b\n",
            message: "unknown flag: --nope",
            line: 2),
    ]

    @Test(arguments: cases) func isOneSentence(_ bad: Case) throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = scratch.path.appending("context")
        try expectSuccess("mkdir", context.string)
        if let dockerfile = bad.dockerfile { try scratch.context(dockerfile) }
        let before = try lamina.state()
        let finished = try lamina.start(["build", "--progress", "plain"] + bad.options + [context.string]).wait()
        #expect(finished.status == 1)
        let sentences = finished.errorLines.filter { $0.hasPrefix("ERROR: ") }
        #expect(sentences.count == 1, "\(finished.errorText)")
        #expect(sentences.first?.contains(bad.message) == true, "\(finished.errorText)")
        if let line = bad.line {
            #expect(finished.errorLines.contains("Dockerfile:\(line)"), "\(finished.errorText)")
        }
        #expect(try lamina.state().filter { !$0.hasPrefix("lamina/base") } == before)
    }

    @Test(arguments: [
        ["build"], ["build", "--nope", "."], ["frobnicate"], ["save"], ["tag", "one"],
        ["build", "--progress", "loud", "."], ["build", "-o", "type=floppy", "."], ["build", "-t", "UPPER", "."],
        ["build", "--build-arg", "=x", "."], ["load", "extra"],
    ])
    func wrongCommandLineIsTwo(_ arguments: [String]) throws {
        let scratch = try Scratch()
        let finished = try Lamina(root: scratch.path.appending("store")).start(arguments).wait()
        #expect(finished.status == 2, "\(finished.errorText)")
        // An unknown command has no usage of its own.
        let usage = arguments == ["frobnicate"] ? "See 'lamina --help' for the commands." : "Usage: lamina"
        #expect(finished.errorText.contains(usage), "\(finished.errorText)")
        #expect(finished.outputText == "")
    }

    @Test(arguments: [[], ["--check"]])
    func warningsStandBesideTheError(_ options: [String]) throws {
        let scratch = try Scratch()
        let context = try scratch.context("ARG X\nFROM $X\n")
        let lamina = Lamina(root: scratch.path.appending("store"))
        let result = try lamina.start(["build"] + options + [context.string]).wait()
        #expect(result.status == 1)
        let text = result.outputText + result.errorText
        #expect(text.contains("InvalidDefaultArgInFrom"), "\(text)")
        #expect(text.contains("base name ($X) should not be blank"), "\(text)")
    }

    @Test(arguments: ["noise", "cut", "bent"]) func corruptArchive(_ how: String) throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let good = scratch.path.appending("good.tar").string
        try lamina.build(try scratch.context("FROM lamina/base\nRUN head -c 300000 /dev/urandom > /x\n"), "-t", "good")
        try lamina.succeeding("save", "-o", good, "good")
        let bad = scratch.path.appending("bad.tar").string
        switch how {
        case "noise": try expectSuccess("sh", "-c", "head -c 200000 /dev/urandom > \"$0\"", bad)
        case "cut": try expectSuccess("sh", "-c", "head -c 500000 \"$0\" > \"$1\"", good, bad)
        default:
            // One byte in the middle of a layer: the digest must show it.
            try expectSuccess("cp", good, bad)
            try expectSuccess("sh", "-c", "printf X | dd of=\"$0\" bs=1 seek=400000 conv=notrunc 2>&1", bad)
        }
        // Names that the archive has, or would be given, stay with the image that has them.
        let other = Lamina(root: scratch.path.appending("other"))
        try other.build(try scratch.context("FROM scratch\nLABEL a=b\n", named: "label"), "-t", "good", "-t", "bad:1")
        let before = try other.state()
        for arguments in [["load", "-i", bad]] + (how == "bent" ? [] : [["import", bad, "bad:1"]]) {
            let finished = try other.start(arguments).wait()
            #expect(finished.status == 1, "\(arguments): \(finished.outputText)")
            // A layer before the bad one may have been read.
            let said = finished.errorLines.filter { !$0.hasPrefix("hint: ") && !$0.hasSuffix(": Loaded") }
            #expect(said.count == 1, "\(finished.errorText)")
        }
        #expect(try other.state() == before)
        try other.succeeding("load", "-i", good)
        #expect(try other.state() != before)
    }

    @Test(arguments: [
        // What the program says of it comes from the kernel, and not every kernel says the same.
        ("RUN head -c 60000000 /dev/urandom > /big", "did not complete successfully: exit code: 1"),
        ("COPY big /", "no space"), ("ADD big.tar /", "too little space"),
    ])
    func fullDisk(_ step: String, _ message: String) throws {
        let scratch = try Scratch()
        let disk = scratch.path.appending("disk")
        try expectSuccess("mkdir", disk.string)
        try expectSuccess("mount", "-t", "tmpfs", "-o", "size=24m", "lamina-test", disk.string)
        defer { _ = try? run("umount", "--lazy", disk.string) }
        let lamina = Lamina(root: disk.appending("store"))
        let context = try scratch.context("FROM lamina/base\nRUN echo kept > /kept\n\(step)\n")
        try expectSuccess(
            "sh", "-ec", "cd \"$0\"; head -c 40000000 /dev/urandom > big; tar -cf big.tar big", context.string)

        let finished = try lamina("build", "--progress", "plain", "-t", "big", context.string)
        #expect(finished.status == 1)
        #expect(finished.errorText.lowercased().contains(message), "\(finished.errorText)")
        #expect(finished.errorLines.contains("Dockerfile:3"), "\(finished.errorText)")
        #expect(try lamina.state().allSatisfy { $0.hasPrefix("lamina/base") })
        #expect(try lamina.unfinished() == [])

        // The space is there again, and what was finished is known.
        try scratch.context("FROM lamina/base\nRUN echo kept > /kept\nRUN cat /kept\n", named: "small")
        let next = try lamina("build", "--progress", "plain", scratch.path.appending("small").string)
        #expect(next.status == 0, "\(next.errorText)")
        #expect(next.errorText.contains("RUN echo kept > /kept\n#5 CACHED\n"), "\(next.errorText)")
    }
}
