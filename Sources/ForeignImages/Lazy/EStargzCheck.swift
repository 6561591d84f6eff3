import LazyLayers
import OCI

/// The table of contents of an eStargz layer, looked through as stargz-snapshotter does before it mounts the layer.
///
/// Source: stargz-snapshotter, `estargz/estargz.go`.
struct EStargzCheck {
    /// Why the layer is not mounted; `nil` if it is.
    let problem: String?
    /// The files that are fetched before a container begins.
    let prefetch: String

    /// `end` is where the contents end in the blob.
    init(_ document: [UInt8], end: Int64) {
        guard let items = (try? JSON(parsing: document))?["entries"]?.array else {
            (problem, prefetch) = ("its table of contents cannot be read", "")
            return
        }
        problem = items.lazy.compactMap { Self.problem(of: $0, end: end) }.first
        let names = items.map { $0["name"]?.string ?? "" }
        if let place = names.firstIndex(of: ".prefetch.landmark") {
            prefetch = "\(place) items are fetched first"
        } else if names.contains(".no.prefetch.landmark") {
            prefetch = "nothing is fetched first"
        } else {
            prefetch = "it has no landmark, so as many bytes are fetched first as are configured"
        }
    }

    private static func problem(of item: JSON, end: Int64) -> String? {
        let name = item["name"]?.string ?? ""
        let isPiece = item["type"]?.string == "chunk"
        guard isPiece || (item["type"]?.string == "reg" && item["size"]?.integer ?? 0 > 0) else { return nil }
        guard let offset = item["offset"]?.integer, offset >= 0, offset < end else {
            return "its table of contents has '\(name)' outside of the layer"
        }
        guard item["chunkDigest"]?.string.flatMap({ try? Digest(parsing: $0) }) != nil else {
            return "its table of contents has no digest of a piece of '\(name)', so that it cannot be verified"
        }
        return nil
    }
}
