import Console
import GoCompat
import OCI

/// The form that `--format` of a listing command asks for.
struct ListFormat: Sendable {
    /// A field of a row and the heading of its column, e.g. `ID` and `IMAGE ID`.
    struct Column: Sendable {
        let field: String
        let header: String
    }

    private enum Kind: Sendable {
        case table(GoTemplate)
        case json
        case template(GoTemplate)
    }

    private let kind: Kind
    private let columns: [Column]

    /// Whether the rows are shown as a table, so that values may be cut to fit.
    var isTable: Bool { if case .table = kind { true } else { false } }

    /// `format` is `table`, `table TEMPLATE`, `json`, a template, or nothing, which means `table`.
    ///
    /// `columns` are all the fields there are; `shown` names those of the table unless the format does.
    init(_ format: String?, columns: [Column], shown: [String]? = nil) throws(TemplateError) {
        self.columns = columns
        let text = (format ?? "").replacingEscapes()
        if text == "json" {
            kind = .json
        } else if text.isEmpty || text == "table" {
            let fields = shown ?? columns.map(\.field)
            kind = .table(try GoTemplate(parsing: fields.map { "{{.\($0)}}" }.joined(separator: "\t")))
        } else if text.hasPrefix("table ") || text.hasPrefix("table{") || text.hasPrefix("table\t") {
            kind = .table(try GoTemplate(parsing: String(text.dropFirst(5).drop { $0 == " " || $0 == "\t" })))
        } else {
            kind = .template(try GoTemplate(parsing: text))
        }
    }

    /// The lines to print. Each row is an object with every field of the columns, absent ones as empty strings.
    ///
    /// `labels` are those of the rows, in their order, for the method `.Label`.
    func lines(for rows: [JSON], labels: [[String: String]] = []) throws(TemplateError) -> [String] {
        let labels = labels + Array(repeating: [:], count: max(0, rows.count - labels.count))
        switch kind {
        case .json:
            return rows.map { row in GoTemplate.json(row.object.map { .object($0.sorted()) } ?? row) }
        case .template(let template):
            var lines: [String] = []
            for (row, labels) in zip(rows, labels) { lines.append(try template.render(row, labels: labels)) }
            return lines
        case .table(let template):
            let headers = JSON.object(JSONObject(columns.map { ($0.field, .string($0.header)) }))
            var table = Table(headers: cells(try template.render(headers, asHeader: true)))
            for (row, labels) in zip(rows, labels) { table.append(cells(try template.render(row, labels: labels))) }
            return table.lines()
        }
    }

    private func cells(_ text: String) -> [String] {
        text.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
}

extension String {
    /// `\t` and `\n` as shells pass them on, made into what they mean.
    fileprivate func replacingEscapes() -> String {
        var result = ""
        var rest = self[...]
        while let next = rest.popFirst() {
            if next == "\\", let letter = rest.first, letter == "t" || letter == "n" {
                result.append(letter == "t" ? "\t" : "\n")
                rest.removeFirst()
            } else {
                result.append(next)
            }
        }
        return result
    }
}
