import Contexts
import OCI
import Store
import Trees

/// The result of a step for the following steps.
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

    /// The part of a cache record that is not about layers.
    var encoded: String {
        if case .remoteFile(let tree) = self { tree.file.encoded } else { "" }
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

    /// Whether no step of this or a former build made any of it.
    var isImage: Bool {
        guard case .files(let state) = self else { return false }
        return state.layers.allSatisfy { $0.created == nil }
    }
}
