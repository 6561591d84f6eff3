// Imported as any other package would: what this file uses has to be public.
import DockerfileSyntax
import Testing

@Suite struct PublicInterfaceTests {
    @Test func readmeExample() throws {
        let text = """
            ARG VERSION=3
            FROM alpine:$VERSION AS base
            RUN --mount=type=cache,target=/cache <<EOF
            echo hello
            EOF
            """
        let file = try Dockerfile(parsing: Array(text.utf8))
        let instruction = try #require(file.stages.first?.instructions.first)
        guard case .run(let run) = instruction.kind else {
            Issue.record("not a RUN")
            return
        }
        #expect(instruction.range.lines == 3...5)
        #expect(run.mounts == ["type=cache,target=/cache"])
        #expect(run.heredocs.map(\.content) == ["echo hello\n"])
        let expander = WordExpander(escape: file.escape)
        #expect(try expander.expand(file.stages[0].base) { $0 == "VERSION" ? "3" : nil }.text == "alpine:3")
    }

    @Test func wordsOfEveryForm() throws {
        let text = """
            FROM --platform=$P a AS B
            ENV a=1 b="x y"
            ENV k v  w
            ARG x=1 y
            COPY ["a b", "/c"]
            RUN echo  hi
            ONBUILD RUN <<E
            z
            E
            """
        let stage = try #require(try Dockerfile(parsing: Array(text.utf8)).stages.first)
        #expect(stage.from.words == ["a", "AS", "B"])
        #expect(
            stage.instructions.map(\.words) == [
                ["a=1", "b=\"x y\""], ["k", "v  w"], ["x=1", "y"], ["a b", "/c"], ["echo  hi"], ["RUN <<E"],
            ])
        #expect(stage.instructions.map(\.isJSON) == [false, false, false, true, false, false])
        #expect(stage.instructions.map { $0.heredocs.map(\.content) } == [[], [], [], [], [], ["z\n"]])
    }

    @Test func errorsHaveTypeAndPlace() {
        do throws(DockerfileError) {
            _ = try Dockerfile(parsing: Array("FROM a\nRUNN x".utf8))
            Issue.record("accepted")
        } catch {
            #expect(error.range?.start == SourcePosition(line: 2, column: 1))
        }
    }
}
