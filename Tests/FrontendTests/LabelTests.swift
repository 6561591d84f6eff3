import Graph
import OCI
import Testing

@testable import Frontend

/// The names of steps that progress shows.
@Suite struct LabelTests {
    @Test(arguments: [
        ("RUN   echo   r2", "[1/1] RUN   echo   r2"),
        ("copy   b/f /f", "[1/1] COPY   b/f /f"),
        (#"COPY ["a/f", "/with space/"]"#, "[1/1] COPY [a/f, /with space/]"),
        ("COPY <<E /q\nE", "[1/1] COPY <<E /q"),
        ("RUN <<E\n#!/bin/sh\necho\nE", "[1/1] RUN <<E (#!/bin/sh...)"),
        ("RUN <<E\n\n  only  \nE", "[1/1] RUN <<E (only)"),
        ("RUN cat <<E >/zz && cat /zz\nbody\nE", "[1/1] RUN cat <<E >/zz && cat /zz"),
        ("RUN --network=none echo a && \\\n# c\n   echo    b", "[1/1] RUN --network=none echo a &&    echo    b"),
        ("RUN echo $NOPE \"$PATH\"", "[1/1] RUN echo $NOPE \"\(Environment.defaultPath)\""),
        ("WORKDIR $NOPE/w", "[1/1] WORKDIR /w"),
    ])
    func text(_ instruction: String, _ label: String) async throws {
        let plan = try await plan("FROM scratch\n\(instruction)\n")
        #expect(plan.labels.last == label)
    }

    @Test func variablesInExecForm() async throws {
        let plan = try await plan("FROM scratch\nENV LONG=\"a b\"\nRUN [\"/bin/sh\",\"-c\",\"echo $LONG\"]\n")
        #expect(plan.labels.last == "[1/1] RUN [\"/bin/sh\",\"-c\",\"echo a b\"]")
    }

    @Test func stagesAndBases() async throws {
        let resolver = FakeResolver(["docker.io/library/debian:12": try image()])
        let text = """
            FROM debian:12 AS build
            RUN make
            ENV A=b
            FROM build
            ARG X
            WORKDIR /
            WORKDIR /w
            COPY --from=build /a /b
            """
        let plan = try await plan(text, resolver: resolver)
        let digest = "sha256:" + String(repeating: "a", count: 64)
        #expect(
            plan.labels == [
                "[build 1/2] FROM docker.io/library/debian:12@\(digest)", "[build 2/2] RUN make",
                "[stage-1 1/3] WORKDIR /w", "[stage-1 2/3] COPY --from=build /a /b",
            ])
        #expect(plan.stepCount == 4)
    }

    @Test func numbersLineUp() async throws {
        let lines = (1...11).map { "RUN \($0)\n" }.joined()
        let plan = try await plan("FROM scratch AS m1\n\(lines)FROM m1\n")
        #expect(plan.labels[1] == "[m1  1/11] RUN 1")
        #expect(plan.labels[10] == "[m1 10/11] RUN 10")
    }

    @Test("Steps of ONBUILD are numbered with the others")
    func triggers() async throws {
        let plan = try await plan("FROM scratch AS a\nONBUILD RUN echo 1\nFROM a\nRUN x\n")
        #expect(plan.labels.suffix(2) == ["[stage-1 1/2] ONBUILD RUN echo 1", "[stage-1 2/2] RUN x"])
    }

    @Test func imageThatIsOnlyCopiedFromHasNoNumber() async throws {
        let resolver = FakeResolver(["docker.io/library/tool:latest": try image()])
        let plan = try await plan("FROM scratch\nCOPY --from=tool /t /t\n", resolver: resolver)
        let digest = "sha256:" + String(repeating: "a", count: 64)
        #expect(
            plan.labels == [
                "FROM scratch", "FROM docker.io/library/tool:latest@\(digest)",
                "[stage-0 1/1] COPY --from=tool /t /t",
            ])
    }
}
