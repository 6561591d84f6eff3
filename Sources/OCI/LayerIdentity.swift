import Diagnostics

/// The digest of a layer's uncompressed tar archive.
///
/// Source: OCI image-spec, config.md, "Layer DiffID".
package struct DiffID: Hashable, Sendable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package init(parsing text: some StringProtocol) throws(DigestError) { digest = try Digest(parsing: text) }

    /// The layer that holds nothing: two zero blocks of 512 bytes.
    package static let empty = DiffID(Digest(of: [UInt8](repeating: 0, count: 1024)))
}

extension DiffID: CustomStringConvertible {
    package var description: String { digest.description }
}

/// The digest of a stack of layers, bottom first.
///
/// Source: OCI image-spec, config.md, "Layer ChainID".
package struct ChainID: Hashable, Sendable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package init(parsing text: some StringProtocol) throws(DigestError) { digest = try Digest(parsing: text) }

    /// The identity of `layer` on top of `parent`; `nil` is the empty stack.
    package init(_ layer: DiffID, on parent: ChainID?) {
        guard let parent else {
            digest = layer.digest
            return
        }
        digest = Digest(of: "\(parent) \(layer)")
    }

    /// The chain of a whole stack, bottom first; `nil` for an empty one.
    package static func of(_ layers: some Sequence<DiffID>) -> ChainID? {
        layers.reduce(nil) { ChainID($1, on: $0) }
    }

    /// The chains of all stacks that a stack consists of, from its bottom layer alone to all of it.
    package static func prefixes(of layers: some Sequence<DiffID>) -> [ChainID] {
        var chains: [ChainID] = []
        for layer in layers { chains.append(ChainID(layer, on: chains.last)) }
        return chains
    }
}

extension ChainID: CustomStringConvertible {
    package var description: String { digest.description }
}
