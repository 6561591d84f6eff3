import Diagnostics
import DockerfileSyntax
import Testing

@testable import Frontend

/// Limits that keep small Dockerfiles from taking much time or memory.
@Suite struct ExpansionLimitTests {
    private static let clock = ContinuousClock()

    private static func doubling(_ keyword: String, _ times: Int) -> String {
        (1...times).map { "\(keyword) A\($0)=$A\($0 - 1)$A\($0 - 1)" }.joined(separator: "\n")
    }

    @Test(arguments: [
        "ARG A0=0123456789\n\(doubling("ARG", 40))\nFROM scratch\n",
        "FROM scratch\nARG A0=0123456789\n\(doubling("ARG", 40))\n",
        "FROM scratch\nENV A0=0123456789\n\(doubling("ENV", 40))\n",
    ])
    func valuesThatDoubleAreRefused(_ text: String) async throws {
        let start = Self.clock.now
        let error = try await failure(text)
        #expect(error.message == "the variables of ARG and ENV have more than 2 MiB together")
        #expect(error.location != nil)
        #expect(Self.clock.now - start < .seconds(5))
    }

    @Test(arguments: ["${A//a/$A}", "\"${A//a/$A}\"", "${A//a/x}${A//a/$A$A}"])
    func replacementsThatGrowAreRefused(_ word: String) throws {
        let value = String(repeating: "a", count: 20_000)
        let error = try #require(throws: DockerfileError.self) { _ = try WordExpander().expand(word) { _ in value } }
        #expect(error.message.hasSuffix("the text has more than 16 MiB after expansion"))
    }

    @Test(arguments: [(300_000, 2), (3000, 5000)])
    func replacementsTakeLinearTime(_ count: Int, _ length: Int) throws {
        let (value, text) = (String(repeating: "a", count: count), String(repeating: "b", count: length))
        let start = Self.clock.now
        let expanded = try WordExpander().expand("${A//a/$B}") { $0 == "A" ? value : text }.text
        #expect(expanded.utf8.count == count * length)
        #expect(Self.clock.now - start < .seconds(20))
    }

    @Test(arguments: ["${A##*a*a*a*a*a*a*b}", "${A%%b*a*a*a*a*a*}", "${A//*a*a*a*a*b/x}", "${A/a*a*a*a*b/x}"])
    func patternsTakeLinearTime(_ word: String) throws {
        let value = String(repeating: "a", count: 100_000)
        let start = Self.clock.now
        #expect(try WordExpander().expand(word) { _ in value }.text == value)
        #expect(Self.clock.now - start < .seconds(20))
    }

    @Test func patternsThatAreTooLongForTheirValueAreRefused() throws {
        let word = "${A##" + String(repeating: "?", count: 60_000) + "}"
        let error = try #require(throws: DockerfileError.self) {
            _ = try WordExpander().expand(word) { _ in String(repeating: "a", count: 1 << 20) }
        }
        #expect(error.message.hasSuffix("the pattern and the value of the substitution are too long for each other"))
    }
}
