package import Comparison
import Console
package import Inspector
import OCI
package import Records

/// The image that a view shows, with what is known about it besides its files.
package struct ViewedImage: Sendable {
    /// The place in a Dockerfile that a layer comes from, and how its step went in that build.
    package struct Source: Hashable, Sendable {
        package let origin: LayerOrigin
        package let outcome: RecordedStep.Outcome?
        package let duration: Duration?

        package init(origin: LayerOrigin, outcome: RecordedStep.Outcome? = nil, duration: Duration? = nil) {
            self.origin = origin
            self.outcome = outcome
            self.duration = duration
        }
    }

    let name: String
    let image: InspectedImage
    /// Whether the files are read; until then the image has layers only.
    let isRead: Bool
    /// By layer, as far as the build is recorded.
    let sources: [Source?]

    /// The two images that are shown side by side; ``image`` is then their files in one tree.
    let pair: ImagePair?
    /// Their names.
    let names: [String]

    /// An image; `sources` are by layer, and `isRead` says whether its files are known.
    package init(name: String, image: InspectedImage, sources: [Source?] = [], isRead: Bool = true) {
        self.name = name
        self.image = image
        self.isRead = isRead
        pair = nil
        names = [name]
        self.sources = image.analysis.layers.indices.map { sources.indices.contains($0) ? sources[$0] : nil }
    }

    /// Two images side by side.
    package init(names: (old: String, new: String), pair: ImagePair) {
        name = "\(names.old) and \(names.new)"
        image = pair.combined
        isRead = true
        sources = [nil, nil]
        self.pair = pair
        self.names = [names.old, names.new]
    }

    var tree: ImageTree { image.tree }

    /// The image that has the bytes of files: of the two that are shown side by side the one of a layer.
    func source(of layer: Int) -> InspectedImage { pair?.image(of: layer) ?? image }

    /// The place of the bytes of a file; `nil` when it is no regular file.
    func place(of file: TreeFile, at node: Int) -> ContentPlace? {
        guard let pair else { return image.place(of: file) }
        return pair.place(of: node, in: file.layer)
    }

    /// The words for the place of a content, after the file's name.
    func origin(of place: ContentPlace, layer: Int) -> String {
        pair == nil ? "layer \(place.layer + 1)" : VisibleText.escaped(Array(names[min(layer, 1)].utf8))
    }

    var layers: [AnalyzedLayer] { image.analysis.layers }

    /// The command of a layer on one line, without the shell that every command has.
    func command(of layer: Int) -> String {
        guard var text = layers[layer].command else { return "\(layers[layer].diffID.digest.short)" }
        for shell in ["RUN /bin/sh -c ", "/bin/sh -c #(nop) ", "/bin/sh -c "] where text.hasPrefix(shell) {
            text = (shell.hasPrefix("RUN") ? "RUN " : "") + text.dropFirst(shell.count)
            break
        }
        if text.hasSuffix(" # buildkit") { text.removeLast(11) }
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        return lines.map { VisibleText.escaped(Array($0.utf8), doublingBackslashes: false) }.joined(separator: "↵")
    }

    /// The Dockerfile lines of a layer, e.g. `7` or `7-9`.
    func lines(of layer: Int) -> String? {
        sources[layer]?.origin.lineText
    }
}
