import FoundationEssentials

extension [UInt8] {
    package var base64Encoded: String { Data(self).base64EncodedString() }
}

extension String {
    /// The UTF-8 of the text in base64.
    package var base64Encoded: String { Data(utf8).base64EncodedString() }

    /// The text behind base64, with or without padding; `nil` when it is not base64 of UTF-8.
    var base64Decoded: String? {
        let padding = String(repeating: "=", count: (4 - utf8.count % 4) % 4)
        return Data(base64Encoded: self + padding).flatMap { String(bytes: $0, encoding: .utf8) }
    }
}
