import Diagnostics
import GoCompat
import OCI
import Testing

@testable import lamina

@Suite struct ListFormatTests {
    private static let columns = [
        ListFormat.Column(field: "ID", header: "IMAGE ID"), ListFormat.Column(field: "Size", header: "SIZE"),
        ListFormat.Column(field: "Comment", header: "COMMENT"),
    ]
    private static let rows = [
        JSON.object(("ID", .string("abc")), ("Size", .string("1kB")), ("Comment", .string("first"))),
        JSON.object(("ID", .string("def")), ("Size", .string("0B")), ("Comment", .string(""))),
    ]

    @Test(
        "A list is printed in the format asked for",
        arguments: [
            (nil, ["IMAGE ID   SIZE", "abc        1kB", "def        0B"]),
            ("table", ["IMAGE ID   SIZE", "abc        1kB", "def        0B"]),
            ("table {{.Size}}\\t{{.ID}}", ["SIZE      IMAGE ID", "1kB       abc", "0B        def"]),
            ("table {{upper .ID}}\t{{json .Size}}", ["IMAGE ID   SIZE", "ABC        \"1kB\"", "DEF        \"0B\""]),
            ("table{{.Comment}}", ["COMMENT", "first", ""]),
            ("{{.ID}}\\t{{.Size}}", ["abc\t1kB", "def\t0B"]),
            ("json", [#"{"Comment":"first","ID":"abc","Size":"1kB"}"#, #"{"Comment":"","ID":"def","Size":"0B"}"#]),
            (
                "{{json .}}",
                [#"{"ID":"abc","Size":"1kB","Comment":"first"}"#, #"{"ID":"def","Size":"0B","Comment":""}"#]
            ),
            ("literal", ["literal", "literal"]),
        ] as [(String?, [String])])
    func lists(_ format: String?, _ expected: [String]) throws {
        let format = try ListFormat(format, columns: Self.columns, shown: ["ID", "Size"])
        #expect(try format.lines(for: Self.rows) == expected)
    }

    @Test func unknownFieldFailsEvenWithoutRows() throws {
        let format = try ListFormat("table {{.Nope}}", columns: Self.columns)
        let error = #expect(throws: TemplateError.self) { try format.lines(for: []) }
        #expect(error?.message.hasSuffix("map has no entry for key \"Nope\"") == true)
        #expect(throws: TemplateError.self) { try ListFormat("{{.ID", columns: Self.columns) }
    }
}
