import Diagnostics
import OCI
import Testing

@testable import YAML

struct YAMLTests {
    @Test(
        "Documents are read as JSON, with scalars as they are written",
        arguments: [
            ("a: 1.10\nb: [x, 'y z']\n", #"{"a":"1.10","b":["x","y z"]}"#),
            ("a:\n  b: {c: true}\n  d: ~\n  e:\n", #"{"a":{"b":{"c":"true"},"d":null,"e":null}}"#),
            ("- \"~\"\n- ''\n- null\n- |\n  two\n  lines\n", #"["~","",null,"two\nlines\n"]"#),
            ("one: &x [1, 2]\ntwo: *x\n", #"{"one":["1","2"],"two":["1","2"]}"#),
            ("# nothing\n", "null"), ("", "null"), ("---\na: b # c\n...\n", #"{"a":"b"}"#),
            ("k: ^1\\.13\\.[12]-alpine$\n", #"{"k":"^1\\.13\\.[12]-alpine$"}"#),
        ])
    func reads(_ text: String, _ json: String) throws {
        #expect(try YAML.parse(Array(text.utf8)) == JSON(parsing: Array(json.utf8)))
    }

    @Test(
        "Documents that are wrong or not understood are refused with their line",
        arguments: [
            ("a: b\n c: d\n", "line 2"), ("a: [b\n", "line"), ("a: 1\na: 2\n", "line 2: the key 'a' stands twice"),
            ("a: *x\n", "no anchor 'x'"), ("a: 1\n---\nb: 2\n", "second document"),
            ("a: !!int 1\n", "tags are not read"),
            ("<<: {a: 1}\n", "merge keys"), ("? [a]\n: b\n", "a key is no text"), ("\tx: y\n", "line 1"),
        ])
    func refuses(_ text: String, _ sentence: String) {
        let error = #expect(throws: YAMLError.self) { try YAML.parse(Array(text.utf8)) }
        #expect(error?.code == .malformed && error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }

    @Test("Bytes that are no text are refused")
    func refusesBytes() {
        #expect(throws: YAMLError.self) { try YAML.parse([0x61, 0x3a, 0x20, 0xff, 0xfe]) }
        #expect(throws: YAMLError.self) { try YAML.parse([0, 1, 2, 3]) }
    }

    @Test("Aliases that repeat aliases end at a limit")
    func limitsAliases() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let list = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(list)]\n"
        }
        let error = #expect(throws: YAMLError.self) { try YAML.parse(Array(text.utf8)) }
        #expect(error?.code == .tooLarge)
    }

    @Test("Nesting ends at a limit")
    func limitsNesting() {
        let text = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        #expect(throws: YAMLError.self) { try YAML.parse(Array(text.utf8)) }
    }
}
