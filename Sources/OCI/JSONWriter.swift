/// How JSON documents of this program are written.
package enum JSONStyle: Sendable {
    /// One line without spaces: image configs, layouts.
    case compact
    /// Indented by the given number of spaces: manifests (2), output for people (4).
    case pretty(Int)
    /// Indented by tabs: configuration files and documents of Docker's command line.
    case tabs
}

extension JSON {
    /// The document as UTF-8, escaped as Go's encoder does (`<`, `>`, `&`, U+2028 and U+2029 as `\u` escapes), so that
    /// bytes and therefore digests can equal those of BuildKit.
    package func encoded(_ style: JSONStyle = .compact) -> [UInt8] {
        var output: [UInt8] = []
        let indent: String? =
            switch style {
            case .compact: nil
            case .pretty(let width): String(repeating: " ", count: width)
            case .tabs: "\t"
            }
        write(to: &output, indent: indent, depth: 0)
        return output
    }

    /// The document as text; see ``encoded(_:)``.
    package func text(_ style: JSONStyle = .compact) -> String {
        String(decoding: encoded(style), as: UTF8.self)
    }

    private func write(to output: inout [UInt8], indent: String?, depth: Int) {
        switch self {
        case .null: output += Array("null".utf8)
        case .bool(let value): output += Array((value ? "true" : "false").utf8)
        case .number(let text): output += Array(text.utf8)
        case .string(let text): Self.write(text, to: &output)
        case .array(let items):
            Self.write(items, "[", "]", to: &output, indent: indent, depth: depth) { item, output in
                item.write(to: &output, indent: indent, depth: depth + 1)
            }
        case .object(let object):
            Self.write(object.members, "{", "}", to: &output, indent: indent, depth: depth) { member, output in
                Self.write(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                if indent != nil { output.append(UInt8(ascii: " ")) }
                member.value.write(to: &output, indent: indent, depth: depth + 1)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item], _ open: Unicode.Scalar, _ close: Unicode.Scalar, to output: inout [UInt8], indent: String?,
        depth: Int, each: (Item, inout [UInt8]) -> Void
    ) {
        output.append(UInt8(ascii: open))
        for (index, item) in items.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            newline(to: &output, indent: indent, depth: depth + 1)
            each(item, &output)
        }
        if !items.isEmpty { newline(to: &output, indent: indent, depth: depth) }
        output.append(UInt8(ascii: close))
    }

    private static func newline(to output: inout [UInt8], indent: String?, depth: Int) {
        guard let indent else { return }
        output.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { output += indent.utf8 }
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += Array("\\\"".utf8)
            case "\\": output += Array("\\\\".utf8)
            case "\n": output += Array("\\n".utf8)
            case "\r": output += Array("\\r".utf8)
            case "\t": output += Array("\\t".utf8)
            case "\u{8}": output += Array("\\b".utf8)
            case "\u{c}": output += Array("\\f".utf8)
            case "<", ">", "&", "\u{2028}", "\u{2029}", "\0"..."\u{1f}":
                let hex = String(scalar.value, radix: 16)
                output += Array("\\u\(String(repeating: "0", count: 4 - hex.count))\(hex)".utf8)
            default: output += Array(String(scalar).utf8)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
