import Console
import GoCompat
import OCI
import Synchronization
import Transports

/// Tells on the standard error how a copy goes, a line for each blob that begins and ends.
final class CopyMessages: Sendable {
    private let isQuiet: Bool
    private let announced = Mutex<Set<Digest>>([])
    private let done = Mutex<Set<Digest>>([])

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func show(_ event: TransferEvent) {
        guard !isQuiet else { return }
        switch event {
        case .resolved(let manifest, let blobs):
            let platform = manifest.platform.map { " for \($0)" } ?? ""
            tell("\(manifest.digest.short): Copying manifest\(platform) with \(blobs.count) blobs")
        case .layerExists(let blob): end(blob, "Already exists")
        case .layerMounted(let blob, let origin): end(blob, "Mounted from \(origin)")
        case .layerProgress(let blob, _):
            guard announced.withLock({ $0.insert(blob.digest).inserted }) else { return }
            tell("\(blob.digest.short): Copying \(HumanSize.short(blob.size))")
        case .layerDone(let blob): end(blob, "Copied")
        case .waiting(let text): tell(text)
        }
    }

    private func end(_ blob: Descriptor, _ what: String) {
        guard done.withLock({ $0.insert(blob.digest).inserted }) else { return }
        tell("\(blob.digest.short): \(what)")
    }
}
