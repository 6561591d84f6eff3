import Registry

/// Puts the head of an answer together from its lines.
struct CurlHead {
    private var status = 0
    private var fields = HTTPFields()
    private var pending: (name: String, value: String)?
    private var isComplete = false

    /// Takes a line with its end; gives the head after the last line of a final answer.
    ///
    /// Interim answers (1xx) are dropped, and so are the trailers that may follow a body.
    mutating func take(_ text: String) -> CurlTransfer.Head? {
        guard !isComplete else { return nil }
        let line = text.trimmedEnd
        if line.hasPrefix("HTTP/") {
            status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            fields = HTTPFields()
            pending = nil
            return nil
        }
        if line.first == " " || line.first == "\t" {
            // A continued line, which RFC 9112 has as obsolete.
            pending?.value += " " + line.trimmed
            return nil
        }
        if let pending { fields.append(pending.name, pending.value) }
        pending = nil
        if line.isEmpty {
            guard status >= 200 else { return nil }
            isComplete = true
            return CurlTransfer.Head(status: status, fields: fields)
        }
        if let colon = line.firstIndex(of: ":") {
            pending = (String(line[..<colon]), line[line.index(after: colon)...].trimmed)
        }
        return nil
    }
}

extension StringProtocol {
    fileprivate var trimmedEnd: String {
        var end = self[...]
        while let last = end.last, last.isWhitespace { end = end.dropLast() }
        return String(end)
    }

    fileprivate var trimmed: String { String(drop(while: \.isWhitespace)).trimmedEnd }
}
