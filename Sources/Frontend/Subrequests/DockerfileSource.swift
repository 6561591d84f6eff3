import OCI

/// A Dockerfile as it was read, for answers that carry it along.
package struct DockerfileSource: Sendable {
    /// As the user knows it.
    package let name: String
    package let bytes: [UInt8]

    package init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    /// The lines without their terminators; behind the last terminator there is one more, which is empty.
    package var lines: [String] {
        // By bytes: to a Swift string, CR LF is one character and not a line feed.
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
    }

    /// The text in Base64, as JSON documents carry bytes.
    package var base64: String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let digit = digits[Int(bits >> UInt32(18 - 6 * place)) & 63]
                text.append(place <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension JSON {
    /// A place in a source as BuildKit writes it; without lines an empty object.
    static func location(_ lines: ClosedRange<Int>?) -> JSON {
        guard let lines else { return .object() }
        return .object(
            (
                "ranges",
                .array([
                    .object(
                        ("start", .object(("line", .integer(lines.lowerBound)))),
                        ("end", .object(("line", .integer(lines.upperBound)))))
                ])
            ))
    }
}

/// Columns as BuildKit's answers have them: as wide as their widest cell and a gap, the last as long as it is.
struct TextColumns {
    let gap: Int
    var rows: [[String]] = []

    /// The lines. Cells before the last are filled up even where the last is empty, as Go's tabwriter does.
    var lines: [String] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.reduce(0) { max($0, column < $1.count ? $1[column].unicodeScalars.count : 0) } + gap
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let width = column + 1 < row.count ? widths[column] : 0
                return cell + String(repeating: " ", count: max(0, width - cell.unicodeScalars.count))
            }.joined()
        }
    }
}
