import Glibc
import SystemPackage
import Testing

/// Advice is right: an image that is built as it says is smaller by the bytes that it names.
@Suite("Advice", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct AdviceTests {
    /// A Dockerfile with a fault, and the same as the advice has it.
    struct Case: Sendable, CustomTestStringConvertible {
        let kind: String
        let line: String
        let before: String
        let after: String
        /// Patterns of the ignore file that the advice asks for.
        var ignored = ""

        var testDescription: String { kind }
    }

    private static let cases = [
        Case(
            kind: "package-cache", line: "2",
            before: "RUN mkdir -p /var/lib/apt/lists /opt; fill 300 /var/lib/apt/lists/deb_main; fill 100 /opt/tool",
            after: "RUN mkdir -p /var/lib/apt/lists /opt; fill 300 /var/lib/apt/lists/deb_main; fill 100 /opt/tool; "
                + "rm -rf /var/lib/apt/lists/*"),
        Case(
            kind: "deleted-later", line: "2", before: "RUN fill 400 /big; fill 100 /tool\nRUN rm /big",
            after: "RUN fill 400 /big; fill 100 /tool; rm /big"),
        Case(
            kind: "replaced-later", line: "2", before: "RUN fill 300 /out\nRUN fill 301 /out",
            after: "RUN fill 300 /out; fill 301 /out"),
        Case(
            kind: "copied-twice", line: "2", before: "COPY data/text /app/\nCOPY data /app/", after: "COPY data /app/"),
        Case(
            kind: "metadata-copy", line: "2", before: "COPY data /app\nRUN chown -R 1000:1000 /app",
            after: "COPY --chown=1000:1000 data /app"),
        Case(
            kind: "duplicates", line: "2", before: "RUN fill 500 /one; cp /one /two",
            after: "RUN fill 500 /one; ln /one /two"),
        Case(
            kind: "version-control", line: "2", before: "COPY data /app", after: "COPY data /app", ignored: "**/.git"),
        Case(
            kind: "build-artefacts", line: "2", before: "COPY data /app", after: "COPY data /app", ignored: "**/*.o"),
        Case(
            kind: "debug-symbols", line: "2", before: "RUN fill 200 /tool; fill 350 /tool.debug",
            after: "RUN fill 200 /tool"),
    ]

    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        // A command for files that are all different.
        try lamina.build(
            scratch.context(
                """
                FROM lamina/base
                RUN printf '#!/bin/sh\\nyes "$2" | head -c "${1}000" > "$2"\\n' > /bin/fill; chmod 755 /bin/fill

                """, named: "filler"), "-t", "filler")
    }

    private func context(_ name: String, _ lines: String, ignored: String) throws -> FilePath {
        let context = try scratch.context("FROM filler\n\(lines)\n", named: name)
        for (file, letter) in [("keep/large", "k"), (".git/objects/pack", "g"), ("main.o", "o"), ("text", "t")] {
            try scratch.write(String(repeating: letter, count: 250_000), to: "\(name)/data/\(file)")
        }
        if !ignored.isEmpty { try scratch.write(ignored + "\n", to: "\(name)/.dockerignore") }
        return context
    }

    private func analysis(_ image: String) throws -> JSONValue {
        try JSONValue(parsing: lamina.succeeding("analyze", "--advise", "--format", "json", image).outputText)
    }

    private func size(_ document: JSONValue) throws -> Double { try #require(document["image"]?["sizeBytes"]?.number) }

    @Test("Followed advice saves what it says", arguments: cases)
    func saving(_ example: Case) throws {
        try lamina.build(context("before", example.before, ignored: ""), "-t", "before")
        try lamina.build(context("after", example.after, ignored: example.ignored), "-t", "after")
        let before = try analysis("before")
        let advice = try #require(before["advice"]?.array?.first { $0["kind"]?.string == example.kind })
        #expect(advice["lines"]?.string == example.line)
        let promised = try #require(advice["bytes"]?.number)
        let saved = try size(before) - size(analysis("after"))
        #expect(promised > 0 && abs(saved - promised) <= promised * 0.05, "\(saved) saved of \(promised)")
        let after = try analysis("after")
        #expect(after["advice"]?.array?.contains { $0["kind"]?.string == example.kind } == false)
        let table = try lamina.succeeding("analyze", "--advise", "before").outputLines
        #expect(table.first?.hasPrefix("SAVES") == true && table.last?.hasPrefix("All of it saves") == true)
    }

    @Test func contentOfTheBaseIsLeftBehindByALastStage() throws {
        try lamina.build(
            scratch.context("FROM lamina/base\nRUN head -c 900000 /dev/zero > /big\n", named: "base"), "-t", "fat")
        try lamina.build(scratch.context("FROM fat\nRUN rm /big\n", named: "before"), "-t", "before")
        let advice = try #require(try analysis("before")["advice"]?.array?.first)
        #expect(advice["kind"]?.string == "base-content" && advice["lines"]?.string == "1")
        try lamina.build(
            scratch.context("FROM fat AS made\nRUN rm /big\nFROM scratch\nCOPY --from=made / /\n", named: "after"),
            "-t", "after")
        let saved = try size(analysis("before")) - size(analysis("after"))
        let promised = try #require(advice["bytes"]?.number)
        #expect(abs(saved - promised) <= promised * 0.05, "\(saved) saved of \(promised)")
    }

    @Test(.enabled(if: Machine.has("strip"), "needs strip")) func strippedProgramsAreSmallerByWhatAdviceSays() throws {
        let context = try scratch.context("FROM lamina/base\nCOPY program /program\n", named: "strip")
        let program = context.appending("program").string
        // The release build has no symbols; the program of these tests has.
        try expectSuccess("cp", "/proc/\(getpid())/exe", program)
        try lamina.build(context, "-t", "before")
        let advice = try #require(
            try analysis("before")["advice"]?.array?.first { $0["kind"]?.string == "unstripped" })
        #expect(advice["lines"]?.string == "2")
        try expectSuccess("strip", program)
        try lamina.build(context, "-t", "after")
        let saved = try size(analysis("before")) - size(analysis("after"))
        let promised = try #require(advice["bytes"]?.number)
        #expect(promised > 0 && abs(saved - promised) <= promised * 0.05, "\(saved) saved of \(promised)")
        #expect(try analysis("after")["advice"]?.array?.contains { $0["kind"]?.string == "unstripped" } == false)
    }

    /// The bytes of the layers that an image does not share with another.
    private func unshared(_ image: String, with other: String) throws -> Double {
        let known = Set(try (analysis(other)["layers"]?.array ?? []).compactMap { $0["diffId"]?.string })
        return try (analysis(image)["layers"]?.array ?? []).filter { !known.contains($0["diffId"]?.string ?? "") }
            .compactMap { $0["sizeBytes"]?.number }.reduce(0, +)
    }

    /// Steps whose layers are the same for two contexts if they are in another order.
    struct OrderCase: Sendable, CustomTestStringConvertible {
        let kind: String
        /// A program that makes another layer each time.
        let program: String
        let before: String
        let after: String
        /// The line of the step, and of the COPY before it.
        let lines: (String, String)

        var testDescription: String { kind }
    }

    @Test(arguments: [
        OrderCase(
            kind: "order", program: "apk", before: "COPY data /app\nRUN apk add tool",
            after: "RUN apk add tool\nCOPY data /app", lines: ("3", "2")),
        OrderCase(
            kind: "manifest-first", program: "npm", before: "WORKDIR /app\nCOPY data .\nRUN npm ci",
            after: "WORKDIR /app\nCOPY data/package.json .\nRUN npm ci\nCOPY data .", lines: ("4", "3")),
    ])
    func stepsInAnotherOrderShareTheirLayers(_ example: OrderCase) throws {
        let tool =
            "RUN printf '#!/bin/sh\\nfill 500 /made-$1\\ncat /proc/sys/kernel/random/uuid >/made-$1-id\\n' "
            + "> /bin/\(example.program); chmod 755 /bin/\(example.program)\n"
        try lamina.build(scratch.context("FROM filler\n\(tool)", named: "tools"), "-t", "tools")
        func made(_ lines: String, _ name: String) throws -> Double {
            for (tag, text) in [("1", "first"), ("2", "second")] {
                let context = try scratch.context("FROM tools\n\(lines)\n", named: name)
                try scratch.write(text, to: "\(name)/data/text")
                try scratch.write("{}", to: "\(name)/data/package.json")
                try lamina.build(context, "-t", "\(name):\(tag)")
            }
            return try unshared("\(name):2", with: "\(name):1")
        }
        let before = try made(example.before, "ordered-badly")
        let advice = try #require(
            try analysis("ordered-badly:2")["advice"]?.array?.first { $0["kind"]?.string == example.kind })
        #expect(advice["lines"]?.string == example.lines.0 && advice["causeLines"]?.string == example.lines.1)
        let after = try made(example.after, "ordered-well")
        let promised = try #require(advice["bytes"]?.number)
        #expect(
            promised > 0 && abs(before - after - promised) <= promised * 0.05,
            "\(before - after) saved of \(promised)")
        #expect(
            try analysis("ordered-well:2")["advice"]?.array?.contains { $0["kind"]?.string == example.kind } == false)
    }

    @Test func adviceNeedsNoRulesAndAcceptsNone() throws {
        #expect(try lamina("analyze", "--advise", "--ci", "filler").status == 2)
        #expect(try lamina("analyze", "--advise", "--format", "html", "filler").status == 2)
        #expect(
            try lamina.with(["CI": "true"]).succeeding("analyze", "--advise", "filler").outputText.contains(
                "Nothing to advise"))
    }
}
