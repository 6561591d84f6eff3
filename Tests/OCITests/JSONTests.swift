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

    /// Keys that are searched one after the other would take minutes here.
    @Test func `an object of very many keys is read in one go`() throws {
        let count = 300_000
        let text = "{" + (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        var object = try #require(try JSON(parsing: text).object)
        #expect(object.members.count == count)
        for number in stride(from: 0, to: count, by: 7) { #expect(object["k\(number)"]?.integer == Int64(number)) }
        for number in 0..<count { object["k\(number)"] = .null }
        #expect(object.members.allSatisfy { $0.value == .null })
        #expect(object.sorted().keys.first == "k0")
    }

    @Test func `a member is found before and after the object has grown or shrunk`() {
        var object = JSONObject()
        for number in 0..<40 {
            object["k\(number)"] = .integer(number)
            for key in 0...number { #expect(object["k\(key)"]?.integer == Int64(key)) }
            #expect(object["k\(number + 1)"] == nil)
        }
        for number in 0..<40 {
            object["k\(number)"] = nil
            #expect(object["k\(number)"] == nil)
            #expect(object.keys == (number + 1..<40).map { "k\($0)" })
            for key in number + 1..<40 { #expect(object["k\(key)"]?.integer == Int64(key)) }
        }
    }

    @Test(arguments: [1, 20]) func `keys are told apart by their bytes`(_ filler: Int) throws {
        let rest = (0..<filler).map { "\"f\($0)\":0" }.joined(separator: ",")
        let text = "{\"\u{e9}\":1,\"e\u{301}\":2,\(rest)}"
        let json = try JSON(parsing: text)
        #expect(json.text() == text)
        #expect(json["\u{e9}"]?.integer == 1)
        #expect(json["e\u{301}"]?.integer == 2)
    }

    @Test func `null is the empty list`() throws {
        let json = try JSON(parsing: #"{"a":null,"b":[1],"c":"x"}"#)
        #expect(json.list("a") == [])
        #expect(json.list("b") == [.integer(1)])
        #expect(json.list("c") == nil)
        #expect(json.list("d") == nil)
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
