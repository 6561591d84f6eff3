import Images
import Inspector
import Linux
import OCI
import Records
import Store
import SystemPackage
import Viewer

/// The lines of a Dockerfile that made the layers of an image, as far as a build on this machine is recorded.
struct ImageSources {
    private let store: StoreRoot

    init(store: StoreRoot) { self.store = store }

    /// By layer; empty for an image that is not in the store.
    static func of(_ stored: StoredSource?) -> [ViewedImage.Source?] {
        guard let (transfer, image) = stored else { return [] }
        return ImageSources(store: transfer.store).sources(of: image.id, diffIDs: image.diffIDs)
    }

    /// By layer; `nil` where nothing is known. History is told and relied upon by nothing: what cannot be read is not known.
    func sources(of id: Digest, diffIDs: [DiffID]) -> [ViewedImage.Source?] {
        let builds = (try? store.builds.list()) ?? []
        guard let record = builds.first(where: { $0.imageID == id && $0.status == .succeeded }),
            let details = BuildDetails(decoding: record.details)
        else { return [] }
        let text = Self.lines(of: details)
        var sources = [ViewedImage.Source?](repeating: nil, count: diffIDs.count)
        // Layers below an image that the build began with are of its FROM.
        var pending: [Int] = []
        let chains = ChainID.prefixes(of: diffIDs)
        for index in diffIDs.indices {
            let chain = chains[index].digest
            // Of steps with one result the first made it.
            guard let step = details.steps.first(where: { $0.result == chain && $0.lines != nil }),
                let lines = step.lines
            else {
                pending.append(index)
                continue
            }
            let source = ViewedImage.Source(
                origin: LayerOrigin(lines: lines, text: Self.text(lines, text), isBase: step.kind == .image),
                outcome: step.outcome,
                duration: step.wall)
            sources[index] = source
            if step.kind == .image { for lower in pending { sources[lower] = source } }
            pending = []
        }
        return sources
    }

    /// The lines of the Dockerfile, if it is still the one that was built.
    private static func lines(of details: BuildDetails) -> [Substring] {
        guard details.dockerfile.hasPrefix("/"), let digest = details.dockerfileDigest,
            let bytes = try? OwnedDescriptor.open(FilePath(details.dockerfile)).readAll(limit: 16 << 20),
            Digest(of: bytes) == digest
        else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }
    }

    private static func text(_ lines: ClosedRange<Int>, _ all: [Substring]) -> String {
        guard lines.lowerBound > 0, lines.upperBound <= all.count else { return "" }
        return all[(lines.lowerBound - 1)...(lines.upperBound - 1)].joined(separator: "\n")
    }
}
