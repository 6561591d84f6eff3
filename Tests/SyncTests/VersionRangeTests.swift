import Diagnostics
import Testing

@testable import Sync

struct VersionRangeTests {
    @Test(
        "A range has the versions that skopeo's library gives it",
        arguments: [
            (">= 3.12.0", ["3.12.0", "v3.13", "4"], ["3.11.9", "3.12.0-rc1", "edge"]),
            ("> 1.2", ["1.3.0", "2"], ["1.2.3", "1.2", "1.1"]),
            ("<= 1.2", ["1.2.3", "1.0"], ["1.3.0", "2"]),
            ("<= 1.2.3", ["1.2.3", "1.2"], ["1.2.4"]),
            (">1, <3", ["2.0.0", "2.9"], ["1.5", "3.0.0", "1"]),
            (">=1 <2", ["1.0.0", "1.9"], ["2.0.0"]),
            ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
            ("~> 1", ["1.0.0", "1.9.9"], ["2.0.0"]),
            ("^1.2.3", ["1.2.3", "1.9"], ["1.2.2", "2.0.0"]),
            ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0", "1.0"]),
            ("^0.0.3", ["0.0.3"], ["0.0.4"]),
            ("^0", ["0.0.1", "0.9"], ["1.0.0"]),
            ("1.x || 3.*", ["1.9", "3.0.1"], ["2.0.0", "4"]),
            ("*", ["0.0.1", "9"], ["1.0.0-beta"]),
            ("1.2 - 1.4.5", ["1.2.0", "1.4.5"], ["1.4.6", "1.1.9"]),
            ("1.2.3", ["1.2.3", "v1.2.3"], ["1.2.4"]),
            ("!=1.2.x", ["1.3.0", "2.2.0"], ["1.2.0"]),
            (">=1.0.0-0", ["1.0.0-rc1", "1.0.0"], ["0.9.0"]),
            ("=2", ["2.0.0", "2.5"], ["3.0.0"]),
        ])
    func contains(_ range: String, _ inside: [String], _ outside: [String]) throws {
        let range = try VersionRange(parsing: range)
        for tag in inside { #expect(SemanticVersion(tag).map(range.contains) == true, "\(tag)") }
        for tag in outside { #expect(SemanticVersion(tag).map(range.contains) != true, "\(tag)") }
    }

    @Test(
        "What is no range is refused", arguments: ["", "abc", ">", ">= x.y", "1.2.3.4", "1 ||", "=== 1", "1 -", "- 2"])
    func refuses(_ text: String) {
        #expect(throws: SyncError.self) { try VersionRange(parsing: text) }
    }

    @Test("Versions are in the order of the specification")
    func orders() throws {
        let texts = [
            "0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
            "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2", "2",
        ]
        let versions = try texts.map { try #require(SemanticVersion($0)) }
        #expect(versions.shuffled().sorted() == versions)
    }

    @Test(
        "What is no version is none",
        arguments: ["", "v", "latest", "1.", ".1", "1..2", "1.2.3.4", "-1", "1.0-", "1.0+"])
    func isNoVersion(_ text: String) { #expect(SemanticVersion(text) == nil) }
}
