import Diagnostics
import Layers
import Linux
import SystemPackage
import Testing
import Trees

@testable import Engine

/// `SOURCE_DATE_EPOCH` as the name of something that has a time. What is made on the way to a file has that time.
@Suite(.serialized) struct BuildEpochTests {
    private static func epoch(_ fixture: RemoteSourceFixture, _ lines: String) async throws -> Int64? {
        let text = """
            \(lines)
            FROM scratch
            ARG SOURCE_DATE_EPOCH
            WORKDIR /w
            COPY <<f /arg-$SOURCE_DATE_EPOCH
            x
            f
            """
        let result = try await fixture.build(text)
        let time = result.files["w"]?.modified.seconds
        #expect(result.files["arg-\(time.map { "\($0)" } ?? "")"] != nil)
        return time
    }

    @Test("SOURCE_DATE_EPOCH may name a stage, whose source gives the time")
    func stages() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("f.txt", "x", modified: 1_600_000_001)
            let directory = fixture.root.appending("a")
            try await runProgram("mkdir", [directory.string])
            for (name, time) in [("old", "@1400000000"), ("new", "@1450000000")] {
                try writeFile(Array("x".utf8), directory.appending(name))
                try await runProgram("touch", ["-d", time, directory.appending(name).string])
            }
            let archive = fixture.server.directory.appending("a.tar.gz").string
            try await runProgram("tar", ["-czf", archive, "-C", directory.string, "."])
            let repository = fixture.server.directory.pushing("git/r.git")
            _ = try await RemoteSourceSSHTests.makeRepository(repository, time: 1_500_000_000)
            try await runProgram("mv", [repository.string, repository.string + ".old"])
            try await runProgram("git", ["clone", "-q", "--bare", repository.string + ".old", repository.string])
            for (source, time) in [
                ("$URL/f.txt", 1_600_000_001), ("$URL/a.tar.gz", 1_450_000_000), ("$URL/git/r.git", 1_500_000_000),
            ] {
                let stage = "FROM scratch AS when\nARG U=\(source)\nADD ${U} /"
                #expect(try await Self.epoch(fixture, "ARG SOURCE_DATE_EPOCH=When\n\(stage)") == Int64(time))
            }
        }
    }

    @Test(
        "A stage that gives no time is refused",
        arguments: [
            ("FROM scratch AS s\nRUN x\n", "SOURCE_DATE_EPOCH stage must contain exactly one remote ADD"),
            ("FROM scratch AS s\n", "SOURCE_DATE_EPOCH stage must contain exactly one remote ADD"),
            (
                "FROM scratch AS s\nADD http://h/a http://h/b /\n",
                "SOURCE_DATE_EPOCH stage must contain exactly one remote ADD"
            ),
            ("FROM scratch AS s\nADD a /\n", "SOURCE_DATE_EPOCH stage must contain exactly one remote ADD"),
            (
                "FROM scratch AS s\nADD http://h/a a /\n", "SOURCE_DATE_EPOCH stage must contain exactly one remote ADD"
            ),
            (
                "FROM scratch AS s\nADD http://h/a /\nADD http://h/b /\n",
                "SOURCE_DATE_EPOCH stage must contain exactly one remote ADD"
            ),
            ("FROM x AS s\nADD http://h/a /\n", "SOURCE_DATE_EPOCH stage must use FROM scratch"),
            ("FROM scratch AS other\n", "invalid SOURCE_DATE_EPOCH: s"),
        ])
    func refusals(_ stage: String, _ message: String) async throws {
        try await RemoteSourceFixture.with { fixture in
            let error = try await fixture.failure("ARG SOURCE_DATE_EPOCH=s\n\(stage)FROM scratch\n")
            #expect(error.message == message)
        }
    }

    /// A directory has no time of its own, and the argument no value.
    @Test func localContext() async throws {
        try await RemoteSourceFixture.with { fixture in
            let result = try await fixture.build(
                "ARG SOURCE_DATE_EPOCH=context\nFROM scratch\nARG SOURCE_DATE_EPOCH\nCOPY <<f /arg-$SOURCE_DATE_EPOCH\n"
                    + "x\nf")
            #expect(result.files["arg-"] != nil)
        }
    }
}
