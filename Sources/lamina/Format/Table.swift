/// Columns as docker's commands print them: at least ten wide, three spaces between, the last as long as it is.
struct Table: Sendable {
    private static let minimumWidth = 10
    private static let gap = 3

    private let headers: [String]
    private var rows: [[String]] = []

    /// Headers are given as they are to be shown, e.g. `IMAGE ID`.
    init(headers: [String]) { self.headers = headers }

    mutating func append(_ row: [String]) { rows.append(row.map(TerminalText.neutralised)) }

    /// The lines, without spaces at their ends.
    func lines(hidingHeader: Bool = false) -> [String] {
        let all = (hidingHeader ? [] : [headers]) + rows
        let count = all.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            // Like docker, a column's width counts only where something follows.
            all.filter { $0.count > column + 1 }
                .reduce(Self.minimumWidth) { max($0, TerminalText.width(of: $1[column]) + Self.gap) }
        }
        return all.map { row in
            var line = row.enumerated().map { column, cell in
                column + 1 < row.count ? TerminalText.padded(cell, columns: widths[column]) : cell
            }.joined()
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }
}
