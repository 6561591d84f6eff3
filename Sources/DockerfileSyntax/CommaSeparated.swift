/// The syntax of option lists such as the values of `--mount`: one record of comma-separated values.
public enum CommaSeparated {
    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")

    /// Splits at commas. A field in double quotes may contain commas, and `""` for a quote.
    ///
    /// Errors are worded as those of Go's `encoding/csv`; a list with nothing in it is one of them.
    public static func fields(_ text: String) throws(DockerfileError) -> [String] {
        let bytes = Array(text.utf8)
        if bytes.isEmpty { throw DockerfileError("EOF") }
        var fields: [String] = []
        var index = 0
        while true {
            let field =
                index < bytes.count && bytes[index] == quote
                ? try quotedField(bytes, &index) : try plainField(bytes, &index)
            fields.append(String(decoding: field, as: UTF8.self))
            if index == bytes.count { return fields }
            index += 1
        }
    }

    private static func plainField(_ bytes: [UInt8], _ index: inout Int) throws(DockerfileError) -> [UInt8] {
        let end = bytes[index...].firstIndex(of: comma) ?? bytes.count
        let field = bytes[index..<end]
        if let position = field.firstIndex(of: quote) {
            throw failure("bare \" in non-quoted field", at: position)
        }
        index = end
        return Array(field)
    }

    private static func quotedField(_ bytes: [UInt8], _ index: inout Int) throws(DockerfileError) -> [UInt8] {
        var field: [UInt8] = []
        index += 1
        while let end = bytes[index...].firstIndex(of: quote) {
            field.append(contentsOf: bytes[index..<end])
            index = end + 1
            guard index < bytes.count, bytes[index] == quote else {
                if index == bytes.count || bytes[index] == comma { return field }
                throw failure("extraneous or missing \" in quoted field", at: end)
            }
            field.append(quote)
            index += 1
        }
        throw failure("extraneous or missing \" in quoted field", at: bytes.count)
    }

    private static func failure(_ reason: String, at index: Int) -> DockerfileError {
        DockerfileError("parse error on line 1, column \(index + 1): \(reason)")
    }
}
