import GoCompat
import OCI
import Store

/// The records of the store that `df --verbose` and `prune` list.
struct UsageList {
    private static let columns: [ListFormat.Column] = [
        .init(field: "ID", header: "ID"), .init(field: "Type", header: "TYPE"), .init(field: "Size", header: "SIZE"),
        .init(field: "CreatedAt", header: "CREATED AT"), .init(field: "CreatedSince", header: "CREATED"),
        .init(field: "LastUsedAt", header: "LAST USED AT"), .init(field: "LastUsedSince", header: "LAST USED"),
        .init(field: "InUse", header: "IN USE"), .init(field: "Shared", header: "SHARED"),
        .init(field: "Mutable", header: "MUTABLE"), .init(field: "Parents", header: "PARENTS"),
        .init(field: "Description", header: "DESCRIPTION"),
    ]

    private let list: ListFormat

    /// Creates a list in the form that `--format` of a command names.
    init(_ format: String?) throws {
        list = try ListFormat(
            format, columns: Self.columns,
            shown: ["ID", "Type", "Size", "CreatedSince", "LastUsedSince", "InUse", "Shared", "Description"])
    }

    var isTable: Bool { list.isTable }

    func lines(for records: [UsageRecord]) throws -> [String] {
        let now = Timestamp.now
        return try list.lines(for: records.map { row($0, now: now) })
    }

    private func row(_ record: UsageRecord, now: Timestamp) -> JSON {
        .object(
            ("ID", .string(isTable ? ShortID.of(record.id.hex) : record.id.description)),
            ("Type", .string(record.type)), ("Size", .string(HumanSize.short(record.bytes))),
            ("CreatedAt", .string(record.createdAt.description)),
            ("CreatedSince", .string(HumanDuration.ago(record.createdAt, now: now))),
            ("LastUsedAt", .string(record.lastUsed.description)),
            ("LastUsedSince", .string(HumanDuration.ago(record.lastUsed, now: now))),
            ("InUse", .string("\(record.isInUse)")), ("Shared", .string("\(record.isShared)")),
            ("Mutable", .string("\(record.isMutable)")),
            ("Parents", .string(record.parents.map(\.description).joined(separator: ";"))),
            ("Description", .string(isTable ? cut(record.description) : record.description)))
    }

    private func cut(_ text: String) -> String {
        let line = text.prefix { $0 != "\n" }
        return line.count > 60 ? line.prefix(59) + "…" : String(line)
    }
}
