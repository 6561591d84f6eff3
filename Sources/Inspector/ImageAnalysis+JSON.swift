import Linux
package import OCI

extension ImageAnalysis {
    /// The analysis as a document for other programs. Keys are never left out, and keep their order and meaning:
    ///
    /// - `schema`: 1.
    /// - `image`: `sizeBytes`, `tarSizeBytes`, `reclaimable`, `efficiency`.
    /// - `layers`, bottom first: `index`, `diffId`, `command` (string or null), `sizeBytes`, `tarSizeBytes`,
    ///   `blobSizeBytes` (integer or null), `added`, `changed` and `removed` (each `files`, `bytes`), `reclaimable` and
    ///   `causes`.
    /// - `waste`: `holder` and `cause` (indexes of layers), `reason`, `files`, `bytes`.
    /// - `paths`, most bytes first: `path` (absolute; bytes that are not UTF-8 appear as U+FFFD), `bytes`, `count`,
    ///   `reasons`. `pathCount` is the number of all of them, whatever the limit.
    /// - `dive`: `efficiencyScore`, `sizeBytes`, `userSizeBytes`, `wastedBytes`, `wastedUserPercent` (a ratio).
    ///
    /// `reclaimable` and `causes` are objects of a number of bytes for each reason and their `total`; the reasons are
    /// `overwritten`, `metadata-only`, `deleted` and `opaque`. All numbers are integers but for the three ratios,
    /// which have six decimals; a ratio to nothing is null. `pathLimit` is how many of the paths to list; all when
    /// `nil`.
    package func json(pathLimit: Int? = nil) -> JSON {
        .object(
            ("schema", .integer(1)),
            (
                "image",
                .object(
                    ("sizeBytes", .integer(size)), ("tarSizeBytes", .integer(tarSize)),
                    ("reclaimable", reclaimable.json), ("efficiency", .ratio(efficiency)))
            ),
            ("layers", .array(layers.map(\.json))),
            ("waste", .array(waste.map(\.json))),
            ("pathCount", .integer(paths.count)),
            ("paths", .array(paths.prefix(max(0, pathLimit ?? .max)).map(\.json))),
            ("dive", dive.json))
    }
}

extension AnalyzedLayer {
    fileprivate var json: JSON {
        .object(
            ("index", .integer(index)), ("diffId", .string(diffID.description)),
            ("command", command.map { .string($0) } ?? .null), ("sizeBytes", .integer(size)),
            ("tarSizeBytes", .integer(tarSize)), ("blobSizeBytes", blobSize.map { .integer($0) } ?? .null),
            ("added", added.json), ("changed", changed.json), ("removed", removed.json),
            ("reclaimable", reclaimable.json), ("causes", causes.json))
    }
}

extension FileTally {
    fileprivate var json: JSON { .object(("files", .integer(count)), ("bytes", .integer(bytes))) }
}

extension ReclaimableBytes {
    fileprivate var json: JSON {
        var members = WasteReason.allCases.map { ($0.rawValue, JSON.integer(self[$0])) }
        members.append(("total", .integer(total)))
        return .object(JSONObject(members))
    }
}

extension Waste {
    fileprivate var json: JSON {
        .object(
            ("holder", .integer(holder)), ("cause", .integer(cause)), ("reason", .string(reason.rawValue)),
            ("files", .integer(files.count)), ("bytes", .integer(files.bytes)))
    }
}

extension WastedPath {
    fileprivate var json: JSON {
        .object(
            ("path", .string("/\(path.text)")), ("bytes", .integer(bytes)), ("count", .integer(count)),
            ("reasons", .array(reasons.map { .string($0.rawValue) })))
    }
}

extension DiveScore {
    fileprivate var json: JSON {
        .object(
            ("efficiencyScore", .ratio(efficiency)), ("sizeBytes", .integer(sizeBytes)),
            ("userSizeBytes", .integer(userSizeBytes)), ("wastedBytes", .integer(wastedBytes)),
            ("wastedUserPercent", .ratio(wastedUserPercent)))
    }
}

extension JSON {
    /// The number with six decimals, so that it reads the same everywhere; null when it is not finite.
    fileprivate static func ratio(_ value: Double) -> JSON {
        let millionths = (value * 1_000_000).rounded()
        guard let whole = Int64(exactly: millionths) else { return .null }
        let decimals = String(whole.magnitude % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - decimals.count)
        return .number("\(whole < 0 ? "-" : "")\(whole.magnitude / 1_000_000).\(zeros)\(decimals)")
    }
}
