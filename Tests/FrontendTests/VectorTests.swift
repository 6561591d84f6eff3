import Diagnostics
import FoundationEssentials
import Graph
import OCI
import Testing

@testable import Frontend

/// The table of Dockerfiles with the config, history, warnings or error that BuildKit makes of them.
@Suite struct VectorTests {
    @Test("A Dockerfile has BuildKit's config, history, warnings or error", arguments: try Vector.all())
    func vector(_ vector: Vector) async throws {
        if let refusal = vector.refusal {
            let error = try await failure(vector.dockerfile, vector.options)
            #expect(error.code == .unsupported)
            #expect(error.message == refusal)
            return
        }
        if let message = vector.error {
            let error = try await failure(vector.dockerfile, vector.options)
            #expect(error.message == message)
            #expect(vector.isWithoutLine || error.location != nil)
            return
        }
        let plan = try await plan(vector.dockerfile, vector.options)
        let history = plan.steps.map { "\($0.vertex == nil ? "e" : "L") \($0.createdBy)" }
        #expect(history == vector.history)
        #expect(JSON.object(plan.config.config.json) == (try JSON(parsing: Array(vector.config.utf8))))
        #expect(plan.config.author == vector.author)
        let warnings = plan.warnings.map { "\($0.rule): \($0.message) (line \($0.location.lines.lowerBound))" }
        #expect(warnings == vector.warnings)
    }

    /// The config of a whole build, byte for byte; only times and layers come from elsewhere.
    @Test func goldenConfig() async throws {
        let text = """
            FROM scratch AS base
            COPY a.txt /a.txt
            FROM base
            ENV FOO="b <&> r"
            WORKDIR /w
            COPY --chown=7:8 d/ /dst/
            COPY <<E /etc/conf
            v=$FOO
            E
            LABEL k="v w"
            USER 7
            CMD ["/bin/app","-x y"]

            """
        let options = BuildOptions(
            buildArguments: [(name: "SOURCE_DATE_EPOCH", value: "1700000000")], labels: [(name: "cli", value: "lab")],
            platform: Platform(os: "linux", architecture: "amd64"), isPlatformExplicit: true)
        let plan = try await plan(text, options)
        let golden = try testData("golden-config.json")
        var config = plan.config
        config.created = plan.epoch.map { Timestamp(seconds: $0) }
        config.history += plan.steps.map {
            History(
                created: config.created, createdBy: $0.createdBy, comment: $0.comment, emptyLayer: $0.vertex == nil)
        }
        config.diffIDs = try ImageConfig(parsing: Array(golden.utf8)).diffIDs
        #expect(String(decoding: config.encoded, as: UTF8.self) == golden)
        #expect(plan.copies.last?.sources == [.inline(InlineFile(name: "E", content: "v=b <&> r\n"))])
        #expect(config.diffIDs.count == plan.steps.count { $0.vertex != nil })
    }

    @Test func tableIsNotEmpty() throws {
        #expect(try Vector.all().count > 200)
    }
}

/// A file below `testdata/frontend`.
func testData(_ name: String) throws -> String {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try String(contentsOfFile: "/\(root)/testdata/frontend/\(name)", encoding: .utf8)
}

struct Vector: Sendable, CustomTestStringConvertible {
    let name: String
    let options: BuildOptions
    let dockerfile: String
    var warnings: [String] = []
    var history: [String] = []
    var config = ""
    var author: String?
    var error: String?
    var refusal: String?

    var testDescription: String { name }

    /// Files without a stage have no line to point at.
    var isWithoutLine: Bool {
        error == "no build stage in current context" || error?.hasPrefix("target stage") == true
    }

    static func all() throws -> [Vector] {
        let text = try testData("vectors.txt")
        var vectors: [Vector] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("[") {
                vectors.append(try Vector(header: line))
            } else {
                try vectors[vectors.count - 1].add(line.drop { $0 == " " })
            }
        }
        // A line in parentheses says that BuildKit got past the frontend; such a case counts where it is refused.
        return vectors.filter { $0.refusal != nil || $0.error != nil || !$0.config.isEmpty }
    }

    private init(header: Substring) throws {
        let end = header.firstIndex(of: "]") ?? header.endIndex
        name = String(header[..<end].dropFirst())
        var rest = header[end...].dropFirst(2)
        var options = BuildOptions(platform: Platform(os: "linux", architecture: "amd64"))
        if rest.hasPrefix("args="), let close = rest.firstIndex(of: "}") {
            let arguments = try JSON(parsing: Array(rest[...close].dropFirst(5).utf8))
            options.buildArguments = (arguments.stringMap ?? []).map { (name: $0, value: $1) }
            rest = rest[close...].dropFirst(2)
        }
        if rest.hasPrefix("target=") {
            options.target = String(rest.dropFirst(7).prefix { $0 != " " })
            rest = rest.drop { $0 != " " }.dropFirst()
        }
        if rest.hasPrefix("(lint all stages)") {
            options.checksAllStages = true
            rest = rest.drop { $0 != "\"" }
        }
        self.options = options
        dockerfile = try JSON(parsing: Array(rest.utf8)).string ?? ""
    }

    private mutating func add(_ line: Substring) throws {
        let space = line.firstIndex(of: " ") ?? line.endIndex
        let value = String(line[space...].dropFirst())
        switch line[..<space] {
        case "WARN": warnings.append(value)
        case "ERR": error = value
        case "NOW": refusal = value
        case "H":
            let text = try JSON(parsing: Array(value.dropFirst(2).utf8)).string ?? ""
            history.append(value.prefix(2) + text)
        case "CFG":
            let parts = value.split(separator: " author=")
            config = String(parts[0]).replacing("$DP", with: "PATH=" + Environment.defaultPath)
            if parts.count == 2 { author = try JSON(parsing: Array(parts[1].utf8)).string }
        default: break
        }
    }
}
