import Diagnostics
import OCI
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        #"{"b":1,"a":[true,false,null],"c":{"d":"e"}}"#, "[]", "{}", #""\u003c\u0026\u003e \u2028\u0001é\n""#,
        "-1.5e10", "12345678901234567890",
    ])
    func roundTrips(_ text: String) throws {
        #expect(try JSON(parsing: text).text() == text)
    }

    @Test(
        "A malformed JSON document is refused",
        arguments: [
            "", "{", "[1,]", "{\"a\"}", "{\"a\":}", "nul", "01x", "\"\\x\"", "\"\u{1}\"", "1 2", "\"abc", "[1 2]", "+1",
            String(repeating: "[", count: 1000),
        ])
    func refuses(_ text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test func joinsSurrogatePairs() throws {
        #expect(try JSON(parsing: #""\ud83d\ude00 \ud83d""#).string == "😀 \u{fffd}")
    }

    @Test func keepsTheLastOfEqualKeys() throws {
        #expect(try JSON(parsing: #"{"a":1,"a":2}"#)["a"]?.integer == 2)
    }

    @Test func indentsAsGoDoes() throws {
        let json = try JSON(parsing: #"{"a":[1,{"b":[]}],"c":{}}"#)
        let expected = """
            {
              "a": [
                1,
                {
                  "b": []
                }
              ],
              "c": {}
            }
            """
        #expect(json.text(.pretty(2)) == expected)
    }

    @Test func neverCrashesOnGarbage() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array(#"{}[]",:\u0123e-+.tfn "#.utf8) + [0, 0xff, 0xc3]
        for _ in 0..<4_000 {
            let bytes = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            guard let json = try? JSON(parsing: bytes) else { continue }
            // What parses is stable when written and read again.
            #expect((try? JSON(parsing: json.encoded()).encoded()) == json.encoded())
        }
    }
}
