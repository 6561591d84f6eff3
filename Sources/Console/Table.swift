/// A table in the form of docker's commands: columns at least ten wide, three spaces between them, the last one unpadded.
package struct Table: Sendable {
    private let minimumWidth: Int
    private let gap: Int
    private let headers: [String]
    private var rows: [[String]] = []

    /// Creates a table with the headers as printed, e.g. `IMAGE ID`.
    package init(headers: [String], minimumWidth: Int = 10, gap: Int = 3) {
        self.headers = headers
        self.minimumWidth = minimumWidth
        self.gap = gap
    }

    package mutating func append(_ row: [String]) { rows.append(row.map(TerminalText.neutralised)) }

    /// The lines of the table, without trailing spaces.
    package func lines(hidingHeader: Bool = false) -> [String] {
        let all = (hidingHeader ? [] : [headers]) + rows
        let count = all.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            // As in docker, only cells with a cell after them count for the width of a column.
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
