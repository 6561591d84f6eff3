import OCI
import Store

/// What a step gives to those that follow.
enum StepResult: Sendable {
    /// The file system that a stack of layers adds up to.
    case files(LayerStack)
    /// The files of a build context.
    case context(ContextTree)
    /// A file that was fetched.
    case remoteFile(RemoteFileTree)

    /// The layers; none for what is no file system of its own.
    var state: LayerStack {
        if case .files(let state) = self { state } else { LayerStack() }
    }

    var isContext: Bool {
        if case .context = self { true } else { false }
    }

    /// The result as the text of a cache record.
    var encoded: String {
        if case .remoteFile(let tree) = self { tree.file.encoded } else { state.encoded }
    }

    /// Names what the result holds; `nil` for the files of a context.
    var digest: Digest? {
        switch self {
        case .files(let state): state.chainID?.digest
        case .remoteFile(let tree): tree.file.digest
        case .context: nil
        }
    }

    /// The blobs it needs, besides those of layers.
    var blobs: [Digest] {
        if case .remoteFile(let tree) = self { [tree.file.digest] } else { [] }
    }
}

/// A stack of layers, bottom first.
struct LayerStack: Hashable, Sendable {
    struct Layer: Hashable, Sendable {
        let diffID: DiffID
        /// When this build or a former one made it; `nil` for a layer of a base image.
        let created: Timestamp?
    }

    var layers: [Layer] = []

    var diffIDs: [DiffID] { layers.map(\.diffID) }
    var chainID: ChainID? { ChainID.of(diffIDs) }

    func adding(_ diffID: DiffID, created: Timestamp) -> LayerStack {
        LayerStack(layers: layers + [Layer(diffID: diffID, created: created)])
    }
}

extension LayerStack {
    /// The state as the text of a cache record.
    var encoded: String {
        JSON.array(
            layers.map { layer in
                .object(
                    ("diffID", .string(layer.diffID.description)),
                    ("created", layer.created.map { .string($0.description) }))
            }
        ).text()
    }

    /// Reads what ``encoded`` gives; `nil` when it is anything else.
    init?(decoding text: String) {
        guard let items = try? JSON(parsing: text).array else { return nil }
        for item in items {
            guard let name = item["diffID"]?.string, let diffID = try? DiffID(parsing: name) else { return nil }
            let created = item["created"]?.string.flatMap(Timestamp.init(parsing:))
            layers.append(Layer(diffID: diffID, created: created))
        }
    }
}
