import SystemPackage
import Testing

/// The output of a build, in each format that a program may read.
@Suite("Progress", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ProgressTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let context: FilePath

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        context = try scratch.context("FROM lamina/base\nRUN echo out; echo err >&2\nENTRYPOINT [\"/x\"]\n")
    }

    @Test func plainHasTheShapeOfBuildKit() throws {
        let finished = try lamina("build", "--progress", "plain", "-t", "p", context.string)
        #expect(finished.outputText == "")
        // Times and digests differ from run to run; everything else does not.
        let shape = finished.errorLines.map { line in
            line.split(separator: " ", omittingEmptySubsequences: false).map { word in
                if word.hasSuffix("s"), word.dropLast().allSatisfy({ $0.isNumber || $0 == "." }), word.count > 1 {
                    return "T"
                }
                if word.contains("."), word.allSatisfy({ $0.isNumber || $0 == "." }) { return "T" }
                return word.hasPrefix("sha256:") ? "D" : String(word)
            }.joined(separator: " ")
        }
        let expected = """
            #0 building with "default" instance using lamina driver

            #1 [internal] load build definition from Dockerfile
            #1 transferring dockerfile: 62B done
            #1 DONE T

            #2 [internal] load .dockerignore
            #2 transferring context: 2B done
            #2 DONE T

            #3 [internal] load metadata for docker.io/lamina/base:latest
            #3 DONE T

            #4 [1/2] FROM docker.io/lamina/base:latest
            #4 DONE T

            #5 [2/2] RUN echo out; echo err >&2
            #5 T out
            #5 T err
            #5 DONE T

            #6 exporting to image
            #6 exporting layers done
            #6 writing image D done
            #6 naming to docker.io/library/p:latest done
            #6 DONE T
            """
        // What takes long says when it starts, and how long it took.
        let steady = shape.filter { $0 != "#6 exporting layers" }
        #expect(steady.map { $0 == "#6 exporting layers T done" ? "#6 exporting layers done" : $0 } == expected.lines)
    }

    @Test func rawJSONIsOneObjectPerLine() throws {
        let finished = try lamina("build", "--progress", "rawjson", context.string)
        #expect(finished.status == 0)
        let events = try finished.errorLines.map(JSONValue.init(parsing:))
        let vertexes = events.flatMap { $0["vertexes"]?.array ?? [] }
        let run = try #require(vertexes.first { $0["name"]?.string == "[2/2] RUN echo out; echo err >&2" })
        let logs = events.flatMap { $0["logs"]?.array ?? [] }.filter { $0["vertex"] == run["digest"] }
        #expect(logs.contains { $0["stream"]?.number == 1 && $0["data"]?.string == "b3V0Cg==" })
        #expect(logs.contains { $0["stream"]?.number == 2 && $0["data"]?.string == "ZXJyCg==" })
        let names = Set(vertexes.compactMap { $0["name"]?.string })
        for name in names {
            let states = vertexes.filter { $0["name"]?.string == name }
            #expect(states.contains { $0["started"] != nil } && states.contains { $0["completed"] != nil }, "\(name)")
        }
        let statuses = events.flatMap { $0["statuses"]?.array ?? [] }
        #expect(statuses.contains { $0["id"]?.string == "exporting layers" && $0["completed"] != nil })
    }

    @Test(arguments: [["-q"], ["--progress", "quiet"]]) func quietPrintsTheID(_ options: [String]) throws {
        let finished = try lamina.succeeding(["build"] + options + [context.string])
        #expect(finished.errorText == "")
        #expect(finished.outputLines.count == 1 && finished.trimmed.count == 71)
    }

    @Test func quietFailureShowsTheOutput() throws {
        let broken = try scratch.context("FROM lamina/base\nRUN echo the reason; false\n", named: "broken")
        let finished = try lamina("build", "-q", broken.string)
        #expect(finished.status == 1 && finished.outputText == "")
        #expect(finished.errorText.contains("exit code: 1"))
    }
}
