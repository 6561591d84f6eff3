import Diagnostics
import OCI
import Testing
import Trees

@testable import Requests

@Suite struct ArgumentFileTests {
    @Test("Each line of an argument file is one argument, and comments are none")
    func lines() throws {
        let text = "# comment\n\nA=1\r\n B = two words # no comment\nC=\nD\n  # indented\nE=x=y"
        let found = try ArgumentFile.parse(Array(text.utf8), name: "f").map { "\($0.name)|\($0.value ?? "-")" }
        #expect(found == ["A|1", " B | two words # no comment", "C|", "D|-", "E|x=y"])
    }

    @Test func noName() {
        let error = #expect(throws: RequestsError.self) {
            try ArgumentFile.parse(Array("A=1\n=2\n".utf8), name: "args")
        }
        #expect(error?.message == "line 2 of args has no name before the equals sign")
    }

    @Test(
        "A lifetime is a duration as Go writes it",
        arguments: [
            (0, 100, 500, 100, 500), (1, 100, 0, 99, 999_999_999), (1_000_000_001, 100, 0, 98, 999_999_999),
            (2_000_000_000, 100, 7, 98, 7),
        ])
    func lifetime(_ nanoseconds: Int64, _ now: Int64, _ part: Int32, _ oldest: Int64, _ rest: Int32) {
        var freshness = Freshness()
        #expect(freshness.oldest(at: Timestamp(seconds: now, nanoseconds: part)) == nil)
        freshness.cacheLifetime = nanoseconds
        #expect(
            freshness.oldest(at: Timestamp(seconds: now, nanoseconds: part))
                == Timestamp(seconds: oldest, nanoseconds: rest))
    }
}
