import Console
package import Inspector
import Layers
import Linux
import OCI

/// The analysis of an image as a page: its layers, a treemap of its files, and tables.
package struct AnalysisPage: Sendable {
    private let name: String
    private let image: InspectedImage
    private let origins: [LayerOrigin?]

    /// `origins` are the places in the Dockerfile, by layer, as far as the build is recorded.
    package init(name: String, image: InspectedImage, origins: [LayerOrigin?] = []) {
        self.name = name
        self.image = image
        self.origins = origins
    }

    /// The page as the bytes of an HTML file.
    package func encoded() throws -> [UInt8] {
        let title = VisibleText.escaped(Array(name.utf8), doublingBackslashes: false)
        return try Page(
            title: title, markup: PackageResources.analysis_html,
            style: PackageResources.page_css, script: PackageResources.page_js + PackageResources.analysis_js,
            data: document
        ).encoded()
    }

    /// The data of the page: facts, layers, and the files that layers store.
    ///
    /// `names` and `depths` are those of the nodes in the order of a walk, the root first. Of each stored file, in the order of
    /// nodes, `nodes` has the distance from the node before, `holders` the layer, `sizes` the bytes, and `reasons` why
    /// no file of the image has them: 0 when one does, 1 overwritten, 2 metadata only, 3 deleted.
    private var document: [UInt8] {
        let analysis = image.analysis
        let dive = analysis.dive
        var members: [(String, [UInt8])] = [
            ("size", number(analysis.size)), ("useless", number(analysis.reclaimable.total)),
            ("efficiency", Array("\(analysis.efficiency)".utf8)),
            (
                "dive",
                Array("{\"efficiency\":\(dive.efficiency),\"wasted\":\(dive.wastedBytes)}".utf8)
            ),
            ("layers", JSON.array(analysis.layers.map(json)).encoded()),
        ]
        let tree = image.tree
        let names = (0..<tree.count).map { JSON.string(VisibleText.escaped(tree.name(of: $0))) }
        members.append(("names", JSON.array(names).encoded()))
        members.append(("depths", column((0..<tree.count).lazy.map { Int64(tree.depth(of: $0)) })))
        let files = image.storedFiles()
        var previous = 0
        let steps = files.map { file in
            defer { previous = file.node }
            return Int64(file.node - previous)
        }
        members.append(("nodes", column(steps)))
        members.append(("holders", column(files.lazy.map { Int64($0.layer) })))
        members.append(("sizes", column(files.lazy.map(\.size))))
        members.append(("reasons", column(files.lazy.map { Self.reason($0) })))
        var bytes: [UInt8] = []
        for (name, value) in members {
            bytes += (bytes.isEmpty ? "{\"" : ",\"").utf8
            bytes += name.utf8
            bytes += "\":".utf8
            bytes += value
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private static func reason(_ file: StoredFile) -> Int64 {
        switch file.uselessness?.reason {
        case nil: 0
        case .overwritten: 1
        case .metadataOnly: 2
        case .deleted, .opaque: 3
        }
    }

    private func number(_ value: Int64) -> [UInt8] { Array(String(value).utf8) }

    private func column(_ values: some Sequence<Int64>) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for value in values {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            bytes += String(value).utf8
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    private func json(_ layer: AnalyzedLayer) -> JSON {
        func tally(_ files: FileTally) -> JSON { .array([.integer(files.count), .integer(files.bytes)]) }
        func text(_ value: String?) -> JSON {
            let lines = (value ?? "").split(omittingEmptySubsequences: false) { $0.isNewline }
            return .string(
                lines.map { VisibleText.escaped(Array($0.utf8), doublingBackslashes: false) }.joined(separator: "\n"))
        }
        let origin = origins.indices.contains(layer.index) ? origins[layer.index] : nil
        return .object(
            ("id", .string(layer.diffID.description)), ("command", text(layer.command)),
            ("lines", .string(origin?.lineText ?? "")), ("source", text(origin?.text)),
            ("size", .integer(layer.size)), ("added", tally(layer.added)), ("changed", tally(layer.changed)),
            ("removed", tally(layer.removed)), ("useless", .integer(layer.reclaimable.total)),
            ("causes", .integer(layer.causes.total)))
    }
}
