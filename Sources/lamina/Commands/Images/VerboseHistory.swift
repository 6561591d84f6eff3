import GoCompat
import Inspector
import OCI
import Records
import Viewer

/// The facts about layers that `history --verbose` adds to the steps of an image.
struct VerboseHistory: Sendable {
    let analysis: ImageAnalysis
    /// By layer, as far as a build on this machine is recorded.
    let sources: [ViewedImage.Source?]
    /// Whether sizes have units.
    let isForPeople: Bool

    static let columns: [ListFormat.Column] = [
        .init(field: "Layer", header: "LAYER"), .init(field: "DiffID", header: "DIFF ID"),
        .init(field: "BlobSize", header: "COMPRESSED"), .init(field: "TarSize", header: "UNCOMPRESSED"),
        .init(field: "Added", header: "ADDED"), .init(field: "Changed", header: "CHANGED"),
        .init(field: "Removed", header: "REMOVED"), .init(field: "Line", header: "LINE"),
        .init(field: "Outcome", header: "OUTCOME"), .init(field: "Duration", header: "DURATION"),
    ]
    static let shown = [
        "CreatedBy", "Size", "BlobSize", "TarSize", "Added", "Changed", "Removed", "Line", "Outcome", "Duration",
        "DiffID",
    ]

    /// The documents of rows, newest first, with the facts about their layers; empty texts where nothing is known.
    func extended(_ documents: [JSON], _ rows: [ImageHistory.Row]) -> [JSON] {
        var layer = rows.count { $0.diffID != nil }
        return zip(documents, rows).map { document, row in
            guard case .object(var object) = document else { return document }
            if row.diffID != nil { layer -= 1 }
            let facts = row.diffID == nil ? [:] : facts(layer)
            for column in Self.columns { object[column.field] = .string(facts[column.field] ?? "") }
            return .object(object)
        }
    }

    private func facts(_ index: Int) -> [String: String] {
        guard analysis.layers.indices.contains(index) else { return [:] }
        let layer = analysis.layers[index]
        var facts = [
            "Layer": "\(index + 1)", "DiffID": layer.diffID.description, "TarSize": size(layer.tarSize),
            "Added": "\(layer.added.count)", "Changed": "\(layer.changed.count)", "Removed": "\(layer.removed.count)",
        ]
        facts["BlobSize"] = layer.blobSize.map(size)
        guard sources.indices.contains(index), let source = sources[index] else { return facts }
        facts["Line"] = source.origin.lineText
        facts["Outcome"] = source.outcome?.rawValue
        facts["Duration"] = source.duration.map { HumanDuration.short($0) }
        return facts
    }

    private func size(_ bytes: Int64) -> String { isForPeople ? HumanSize.short(bytes) : "\(bytes)" }
}
