/// Columns as docker's commands print them: at least ten wide, three spaces between, the last as long as it is.
struct Table: Sendable {
    private let minimumWidth: Int
    private let gap: Int
    private let headers: [String]
    private var rows: [[String]] = []

    /// Headers are given as they are to be shown, e.g. `IMAGE ID`.
    init(headers: [String], minimumWidth: Int = 10, gap: Int = 3) {
        self.headers = headers
        self.minimumWidth = minimumWidth
        self.gap = gap
    }

    mutating func append(_ row: [String]) { rows.append(row.map(TerminalText.neutralised)) }

    /// The lines, without spaces at their ends.
    func lines(hidingHeader: Bool = false) -> [String] {
        let all = (hidingHeader ? [] : [headers]) + rows
        let count = all.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            // Like docker, a column's width counts only where something follows.
            all.filter { $0.count > column + 1 }
                .reduce(minimumWidth) { max($0, TerminalText.width(of: $1[column]) + gap) }
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
