import SystemPackage
import Testing

/// Lines of scripts that call docker, with `docker` being lamina: their output is the one that Docker gives.
@Suite("One-liners", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct OneLinerTests {
    /// A command of the table, and what it prints.
    private struct Line: Hashable {
        let command: String
        var output: [String] = []
    }

    private static func table() throws -> [Line] {
        let path = Lamina.packageRoot.appending("testdata/oneliners/docker.txt")
        var lines: [Line] = []
        var isOutput = false
        for line in try text(of: path).lines {
            if line.hasPrefix("$ ") {
                lines.append(Line(command: String(line.dropFirst(2))))
                isOutput = true
            } else if line.isEmpty {
                isOutput = false
            } else if isOutput {
                lines[lines.count - 1].output.append(line)
            }
        }
        return lines
    }

    /// Prints what each command of the table prints, after a line of its own, with what differs each time replaced.
    private static func script(_ lines: [Line]) -> String {
        let filter = """
            sed -E -e 's/(sha256:)?[0-9a-f]{64}/<id>/g' -e 's/\\b[0-9a-f]{12}\\b/<short>/g' \
            -e 's/(Less than a second|About a minute|[0-9]+ (seconds?|minutes?)) ago/<time> ago/g'
            """
        let commands = lines.map { line in
            """
            echo @@@
            { \(line.command)
            } | \(filter)
            status=${PIPESTATUS[0]}; [ $status = 0 ] || echo "(exit $status)"
            """
        }
        return (["set -o pipefail"] + commands).joined(separator: "\n") + "\n"
    }

    @Test func scriptsGetTheOutputOfDocker() throws {
        let scratch = try Scratch()
        let lines = try Self.table()
        #expect(lines.count >= 40)
        try scratch.write("hello\n", to: "app/hello")
        try scratch.write("FROM scratch\nARG V=1\nENV V=$V\n", to: "app/minimal")
        try scratch.write(
            """
            FROM lamina/base
            ENV GREETING=hi
            LABEL team=web
            COPY hello /hello
            EXPOSE 80
            VOLUME /data
            WORKDIR /srv
            CMD ["sh", "-c", "echo $GREETING"]

            """, to: "app/Dockerfile")
        let binary = try #require(Lamina.binary)
        let absolute = binary.isAbsolute ? binary : Lamina.packageRoot.pushing(binary)
        try expectSuccess("mkdir", scratch.path.appending("bin").string)
        try expectSuccess("ln", "-s", absolute.string, scratch.path.appending("bin/docker").string)
        let file = try scratch.write(Self.script(lines), to: "script")
        let finished = try run(
            "bash", file.string,
            environment: [
                "PATH": "\(scratch.path)/bin:\(environmentVariable("PATH") ?? "/usr/bin:/bin")",
                "LAMINA_ROOT": scratch.path.appending("store").string, "NO_COLOR": "1", "CI": "", "DOCKER_HOST": "",
            ], in: scratch.path)
        let outputs = finished.outputLines.split(separator: "@@@", omittingEmptySubsequences: false).dropFirst()
        #expect(outputs.count == lines.count)
        for (line, output) in zip(lines, outputs) {
            #expect(Array(output) == line.output, "\(line.command)\n\(finished.errorText)")
        }
    }
}
