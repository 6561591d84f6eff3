import Diagnostics
package import Images
package import OCI
import Registry
package import Transports

/// The progress of a synchronization.
package enum SyncEvent: Sendable {
    /// The next image begins.
    case image(ImageLocation, ImageLocation)
    /// The destination has the image already.
    case exists(ImageLocation)
    case copied(ImageLocation, Digest)
    /// An image, or the list of images of a repository, that could not be had; the others follow.
    case failed(any Error)
    case transfer(TransferEvent)
}

/// A copy of many images from registries or directories to one place.
///
/// It may be ended and begun again: an image whose digest its place has is not looked into, and blobs that a place has
/// are not sent.
package struct SyncRun: Sendable {
    /// The form of each copy.
    package var copy = ImageCopy()
    /// Whether the whole name of an image stands below the destination, or its last part.
    package var isScoped = false
    /// A text put after the name of each copy.
    package var ending = ""
    /// Whether the other images are copied when one fails.
    package var keepsGoing = false
    /// Whether images are only named.
    package var isDryRun = false

    package let groups: [SyncGroup]
    package let destination: SyncDestination
    private let access: RegistryAccess

    /// The numbers of images of a run.
    package struct Summary: Hashable, Sendable {
        package var copied = 0
        package var existing = 0
        package var failed = 0

        package var all: Int { copied + existing + failed }
    }

    /// `access` is the way to the destination; the groups bring that to their registries.
    package init(_ groups: [SyncGroup], to destination: SyncDestination, _ access: RegistryAccess) {
        self.groups = groups
        self.destination = destination
        self.access = access
    }

    /// Copies the images one after the other.
    ///
    /// Throws the first failure, or with ``keepsGoing`` ``SyncError`` `.incomplete` at the end; `.nothing` when there is
    /// no image at all.
    package func run(report: @escaping @Sendable (SyncEvent) -> Void) async throws -> Summary {
        var summary = Summary()
        // Two images with one place would overwrite each other.
        var places: [ImageLocation: ImageLocation] = [:]
        for group in groups {
            let source = RegistryAccess(group.settings)
            do {
                try await run(group, source, &places, &summary, report)
                try await source.shutdown()
            } catch {
                try? await source.shutdown()
                throw error
            }
        }
        guard summary.failed == 0 else {
            throw SyncError(
                .incomplete, "\(summary.failed) of \(summary.all) images were not copied",
                hint: "Run the command again: what is there is not sent again.")
        }
        guard summary.all > 0 else {
            throw SyncError(.nothing, "there is no image to copy", hint: "Check the names, and the tags of the list.")
        }
        return summary
    }

    private func run(
        _ group: SyncGroup, _ source: RegistryAccess, _ places: inout [ImageLocation: ImageLocation],
        _ summary: inout Summary, _ report: @escaping @Sendable (SyncEvent) -> Void
    ) async throws {
        func attempt(_ body: () async throws -> Void) async throws {
            do { try await body() } catch  where keepsGoing && !(error is CancellationError) && !Task.isCancelled {
                summary.failed += 1
                report(.failed(error))
            }
        }
        var images: [SyncGroup.Image] = []
        try await attempt { images = try await group.images(source.client) }
        for image in images {
            try await attempt {
                let place = try destination.place(image.suffix, isScoped: isScoped, ending: ending)
                if let other = places[place] {
                    guard other != image.source else { return }
                    throw SyncError(
                        .badList, "'\(other)' and '\(image.source)' would both be copied to '\(place)'",
                        hint: "Use --scoped to keep the whole names.")
                }
                places[place] = image.source
                report(.image(image.source, place))
                if isDryRun { return summary.copied += 1 }
                if try await isThere(image.source, place, source) {
                    summary.existing += 1
                    return report(.exists(place))
                }
                let digest = try await transfer(image.source, place, source, report)
                summary.copied += 1
                report(.copied(place, digest))
            }
        }
    }

    /// Whether a registry has under the name of the copy what the source has, so that nothing needs to be looked at.
    private func isThere(
        _ image: ImageLocation, _ place: ImageLocation, _ source: RegistryAccess
    ) async throws -> Bool {
        guard copy.isIdentity, case .registry(let from) = image, case .registry(let to) = place else {
            return false
        }
        let wanted = try await source.client.descriptor(of: from)
        return try await access.client.targetDescriptor(of: to)?.digest == wanted.digest
    }

    private func transfer(
        _ image: ImageLocation, _ place: ImageLocation, _ source: RegistryAccess,
        _ report: @escaping @Sendable (SyncEvent) -> Void
    ) async throws -> Digest {
        let noStore: () throws -> ImageTransfer = {
            throw SyncError(.badList, "images of the store are copied by 'lamina copy'")
        }
        let reader = try ImageTransports.reader(image, source, images: noStore)
        let writer = try ImageTransports.writer(place, access, images: noStore)
        return try await copy.run(from: reader, to: writer) { report(.transfer($0)) }.digest
    }
}
