import Console
import Engine
import GoCompat
import Images
import OCI
import Store
import Synchronization

/// Tells on the standard error which layers a command has to fetch before it can do its work.
final class FetchMessages: Sendable {
    private let announced = Mutex<Set<Digest>>([])

    func show(_ event: TransferEvent) {
        switch event {
        case .layerProgress(let layer, _):
            guard announced.withLock({ $0.insert(layer.digest).inserted }) else { return }
            write("\(layer.digest.short): Fetching \(HumanSize.short(layer.size))")
        case .layerDone(let layer): write("\(layer.digest.short): Fetched")
        case .waiting(let text): write(text)
        case .resolved, .layerExists, .layerMounted: return
        }
    }

    private func write(_ line: String) { OutputTerminal.standardError.write(line + "\n") }
}

extension GlobalOptions {
    /// An image whose layers the command looks at. What is not in the store is fetched first; if all is, the store is
    /// only read.
    func inspectable(
        _ text: String, _ registries: RegistryOptions
    ) async throws -> (images: ImageTransfer, image: StoredImage) {
        let images = try images(.readOnly)
        let image = try images.image(text)
        if try images.knowsFiles(of: image) { return (images, image) }
        let transfer = try self.images(registries)
        let messages = FetchMessages()
        try await transfer.closingRegistry {
            try await transfer.fetchLists(of: image) { messages.show($0) }
        }
        return (transfer, try transfer.image(text))
    }
}
