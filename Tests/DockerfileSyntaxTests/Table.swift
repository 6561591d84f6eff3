import FoundationEssentials

/// A table file under `testdata/dockerfile`. Lines that begin with `#` are comments.
struct Table {
    let lines: [String]

    init(_ name: String, in file: StaticString = #filePath) throws {
        let root = "\(file)".split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try String(contentsOfFile: "/\(root)/testdata/dockerfile/\(name).txt", encoding: .utf8)
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init).filter { !$0.hasPrefix("#") }
    }

    /// The lines that are not empty.
    var rows: [Row] { lines.filter { !$0.isEmpty }.map(Row.init) }

    /// The blocks between empty lines.
    var blocks: [[String]] { lines.split(separator: "").map(Array.init) }
}

/// One line of a table: words, and texts in double quotes.
struct Row: Sendable, CustomStringConvertible {
    let description: String
    let fields: [String]

    init(_ line: String) {
        description = line
        var fields: [String] = []
        var rest = line[...]
        while let first = rest.first {
            if first == " " {
                rest.removeFirst()
            } else if first == "\"" {
                fields.append(Row.unquoted(&rest))
            } else {
                let word = rest.prefix { $0 != " " }
                fields.append(String(word))
                rest = rest[word.endIndex...]
            }
        }
        self.fields = fields
    }

    /// The fields before and behind `=>`.
    var sides: (input: [String], output: [String]) {
        let arrow = fields.firstIndex(of: "=>") ?? fields.count - 1
        return (Array(fields[..<arrow]), Array(fields[(arrow + 1)...]))
    }

    /// Takes a text in double quotes off the front, and resolves its escapes.
    static func unquoted(_ rest: inout Substring) -> String {
        var scalars = rest.unicodeScalars.dropFirst()
        var result = String.UnicodeScalarView()
        while let scalar = scalars.popFirst(), scalar != "\"" {
            guard scalar == "\\", let escape = scalars.popFirst() else {
                result.append(scalar)
                continue
            }
            let digits = ["x": 2, "u": 4][escape] ?? 0
            let hex = String(String.UnicodeScalarView(scalars.prefix(digits)))
            let simple: [Unicode.Scalar: Unicode.Scalar] = ["n": "\n", "t": "\t", "r": "\r"]
            result.append(
                UInt32(hex, radix: 16).flatMap(Unicode.Scalar.init) ?? simple[escape] ?? escape)
            scalars = scalars.dropFirst(digits)
        }
        rest = Substring(scalars)
        return String(result)
    }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}
