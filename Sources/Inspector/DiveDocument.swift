import Layers
import Linux
package import OCI

extension InspectedImage {
    /// The analysis as dive's `--json` has it, for programs that read that.
    ///
    /// Source: dive's `runtime/export`. Files of a layer come in the order of a walk, and marks that remove files as the
    /// empty files that they are in an archive; their mode is not recorded and stands as 0.
    package var diveDocument: JSON {
        let layers = analysis.layers.map { layer in
            JSON.object(
                ("index", .integer(layer.index)), ("id", .string(layer.diffID.digest.hex)),
                ("digestId", .string(layer.diffID.description)), ("sizeBytes", .integer(layer.size)),
                ("command", .string(layer.command ?? "")),
                ("fileList", .array(tree.entries(of: layer.index).map(\.diveFile))))
        }
        let references = analysis.dive.references.map { reference in
            JSON.object(
                ("count", .integer(reference.count)), ("sizeBytes", .integer(reference.bytes)),
                ("file", .string("/\(reference.path.text)")))
        }
        return .object(
            ("layer", .array(layers)),
            (
                "image",
                .object(
                    ("sizeBytes", .integer(analysis.dive.sizeBytes)),
                    ("inefficientBytes", .integer(analysis.dive.wastedBytes)),
                    ("efficiencyScore", .number("\(analysis.dive.efficiency)")),
                    ("fileReference", .array(references)))
            ))
    }
}

extension LayerEntry {
    fileprivate var diveFile: JSON {
        .object(
            ("path", .string(archiveName)), ("typeFlag", .integer(typeFlag)), ("linkName", .string(linkTarget.text)),
            ("size", .integer(storedSize)), ("fileMode", .integer(goMode)), ("uid", .integer(owner)),
            ("gid", .integer(group)), ("isDir", .bool(kind == .directory)))
    }

    private var archiveName: String {
        switch kind {
        case .whiteout: path.parent.appending(PathBytes(Array(".wh.".utf8) + path.lastComponent.bytes)).text
        case .opaque: path.appending(".wh..wh..opq").text
        default: path.text
        }
    }

    /// The type of the member in the archive, as the number of its letter.
    private var typeFlag: Int {
        let letter: Unicode.Scalar =
            switch kind {
            case .regular, .whiteout, .opaque: "0"
            case .hardLink: "1"
            case .symlink: "2"
            case .characterDevice: "3"
            case .blockDevice: "4"
            case .directory: "5"
            case .fifo: "6"
            }
        return Int(letter.value)
    }

    /// The bits of Go's `os.FileMode`.
    private var goMode: UInt32 {
        var mode = permissions & 0o777
        if permissions & 0o4000 != 0 { mode |= 1 << 23 }
        if permissions & 0o2000 != 0 { mode |= 1 << 22 }
        if permissions & 0o1000 != 0 { mode |= 1 << 20 }
        switch kind {
        case .directory: mode |= 1 << 31
        case .symlink: mode |= 1 << 27
        case .blockDevice: mode |= 1 << 26
        case .characterDevice: mode |= 1 << 26 | 1 << 21
        case .fifo: mode |= 1 << 25
        case .regular, .hardLink, .whiteout, .opaque: break
        }
        return mode
    }
}
