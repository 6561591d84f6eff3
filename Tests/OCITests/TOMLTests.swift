import Testing

@testable import OCI

@Suite struct TOMLTests {
    @Test(arguments: [
        ("", "{}"), ("# only a comment", "{}"), ("a = 1", #"{"a":1}"#),
        ("a = -1_000\r\nb=true # yes\n", #"{"a":-1000,"b":true}"#),
        (#"a = "x\"\\\n\t\u00e9""#, #"{"a":"x\"\\\n\té"}"#), (#"a = 'c:\x'"#, #"{"a":"c:\\x"}"#),
        ("a = \"\"\"\nx\ny\"\"\"", #"{"a":"x\ny"}"#), ("a = '''x'y'''", #"{"a":"x'y"}"#),
        ("a = [1, 2,\n # two\n 3,]", #"{"a":[1,2,3]}"#), ("a = [ ]", #"{"a":[]}"#),
        ("a = { b = 'x', c.d = [] }", #"{"a":{"b":"x","c":{"d":[]}}}"#),
        ("a.b = 1\na.\"c d\" = 2", #"{"a":{"b":1,"c d":2}}"#),
        ("[a.b]\nc = 1\n[a]\nd = 2", #"{"a":{"b":{"c":1},"d":2}}"#),
        ("[[a]]\nb = 1\n[[a.c]]\nd = 2\n[[a.c]]\n[[a]]\nb = 3", #"{"a":[{"b":1,"c":[{"d":2},{}]},{"b":3}]}"#),
        ("'quay.io/x' = 1", #"{"quay.io/x":1}"#),
    ])
    func reads(_ text: String, _ expected: String) throws {
        #expect(try TOML.parse(Array(text.utf8)) == JSON(parsing: Array(expected.utf8)))
    }

    @Test(arguments: [
        "a", "a =", "a = x", "a = 1.5", "a = 2020-01-01", "= 1", "a = 1 b = 2", "a = \"x", "a = \"x\ny\"",
        "a = \"\\q\"",
        "a = \"\\ud800\"", "a = [1", "a = [1 2]", "a = {b = 1", "a = {b = 1, b = 2}", "[a", "[[a]", "[]",
        "a = 1\na = 2",
        "a = 1\n[a]", "a = 1\na.b = 2", "[a]\n[[a]]", "a = '''x", "a = \"\"\"x\"",
    ])
    func refuses(_ text: String) {
        #expect(throws: TOML.Malformed.self) { try TOML.parse(Array(text.utf8)) }
    }

    @Test("The line of a mistake is told, and deep nesting ends")
    func limits() {
        let error = #expect(throws: TOML.Malformed.self) { try TOML.parse(Array("a = 1\n\nb = x\n".utf8)) }
        #expect(error?.description == "line 3: 'x' is no string, integer or boolean")
        let deep = "a = " + String(repeating: "[", count: 100_000)
        #expect(throws: TOML.Malformed.self) { try TOML.parse(Array(deep.utf8)) }
        let keys = Array(repeating: "a", count: 100_000).joined(separator: ".") + " = 1"
        #expect(throws: TOML.Malformed.self) { try TOML.parse(Array(keys.utf8)) }
        #expect(throws: TOML.Malformed.self) { try TOML.parse([0x61, 0x3d, 0x22, 0xff, 0x22]) }
    }

    @Test func theLineOfEachKeyIsTold() throws {
        let text = "a = [\n 1,\n 2]\n\n[t.u]\nb.c = '''x\ny'''\n[[v]]\nd = {e = 1}\n[[v]]\nd = 2\n"
        let (_, lines) = try TOML.parseWithLines(Array(text.utf8))
        #expect(
            lines == [
                ["a"]: 1, ["t"]: 5, ["t", "u"]: 5, ["t", "u", "b"]: 6, ["t", "u", "b", "c"]: 6, ["v"]: 8,
                ["v", "d"]: 9,
            ])
    }
}
