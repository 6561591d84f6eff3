import Inspector
import Layers
import Linux
package import OCI
import Packages

extension ImageDifference {
    /// The difference as a document for other programs. Keys are never left out:
    ///
    /// - `schema`: 1; `isEmpty`; `ignoresTimes`; `commonLayers`, how many bottom layers both images have.
    /// - `old` and `new`: `name`, `sizeBytes`, and `layers`, bottom first: `diffId`, `sizeBytes`, `command`, `lines` and
    ///   `source` of the Dockerfile (strings or null), `isShared`, whether the other image has it, too.
    /// - `summary`: `added`, `removed`, `changed` and `timeOnly` files, `sizeChangeBytes`.
    /// - `config`: `field`, `old`, `new` (null where it is not there).
    /// - `packages`: `manager`, `name`, `old` and `new` (lists of versions), `sizeChangeBytes` (or null).
    /// - `steps`: `image` (`old` or `new`), `layer`, and what `summary` has, of this layer.
    /// - `files`: `path` (absolute; bytes that are not UTF-8 appear as U+FFFD), `change`, `causes`, `sizeChangeBytes`,
    ///   `old` and `new`: null, or `kind`, `mode` (octal), `owner`, `group`, `sizeBytes`, `modified`, `target`, `layer`.
    package var json: JSON {
        .object(
            ("schema", .integer(1)), ("isEmpty", .bool(isEmpty)), ("ignoresTimes", .bool(ignoresTimes)),
            ("commonLayers", .integer(commonLayers)), ("old", json(of: .old)), ("new", json(of: .new)),
            ("summary", tally.json([])), ("config", .array(config.map(\.json))),
            ("packages", .array(packages.map(\.json))),
            (
                "steps",
                .array(
                    steps.map {
                        $0.tally.json([("image", .string($0.side.rawValue)), ("layer", .integer($0.layer))])
                    })
            ),
            ("files", .array(files.map(\.json))))
    }

    private func json(of side: Side) -> JSON {
        let compared = side == .old ? old : new
        let layers = zip(compared.image.analysis.layers, compared.origins).map { layer, origin in
            JSON.object(
                ("diffId", .string(layer.diffID.description)), ("sizeBytes", .integer(layer.size)),
                ("command", layer.command.map { .string($0) } ?? .null),
                ("lines", origin.map { .string($0.lineText) } ?? .null),
                ("source", origin.map { .string($0.text) } ?? .null), ("isShared", .bool(isShared(side, layer.index))))
        }
        return .object(
            ("name", .string(compared.name)), ("sizeBytes", .integer(compared.image.analysis.size)),
            ("layers", .array(layers)))
    }
}

extension ImageDifference.Tally {
    fileprivate func json(_ members: [(String, JSON)]) -> JSON {
        .object(
            JSONObject(
                members + [
                    ("added", .integer(added)), ("removed", .integer(removed)), ("changed", .integer(changed)),
                    ("timeOnly", .integer(timeOnly)), ("sizeChangeBytes", .integer(sizeChange)),
                ]))
    }
}

extension ConfigDifference {
    fileprivate var json: JSON {
        .object(("field", .string(field)), ("old", old ?? .null), ("new", new ?? .null))
    }
}

extension PackageDifference {
    fileprivate var json: JSON {
        .object(
            ("manager", .string(manager.rawValue)), ("name", .string(name)),
            ("old", .array(old.map { .string($0) })), ("new", .array(new.map { .string($0) })),
            ("sizeChangeBytes", sizeChange.map { .integer($0) } ?? .null))
    }
}

extension FileDifference {
    fileprivate var json: JSON {
        .object(
            ("path", .string("/\(path.text)")), ("change", .string(change.rawValue)),
            ("causes", .array(causes.map { .string($0.rawValue) })), ("sizeChangeBytes", .integer(sizeChange)),
            ("old", old?.json ?? .null), ("new", new?.json ?? .null))
    }
}

extension FileDifference.Version {
    fileprivate var json: JSON {
        let mode = String(entry.permissions, radix: 8)
        return .object(
            ("kind", .string("\(entry.kind)")),
            ("mode", .string(String(repeating: "0", count: max(0, 4 - mode.count)) + mode)),
            ("owner", .integer(entry.owner)), ("group", .integer(entry.group)), ("sizeBytes", .integer(entry.size)),
            ("modified", .string(Timestamp(seconds: entry.modified.seconds).description)),
            ("target", .string(entry.linkTarget.text)), ("layer", .integer(layer)))
    }
}
