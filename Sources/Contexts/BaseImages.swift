import Diagnostics
package import Frontend
import Graph
package import Images
import Linux
package import OCI
import Registry
package import Requests
package import Solver
import Store

/// Finds the images that stages start from: in the store, else in their registry, else among what Lamina brings along.
/// Of an image in a registry no more than manifest and config are fetched.
package struct BaseImages: BaseImageResolver {
    package let images: ImageTransfer
    package let progress: ProgressReporter
    package let pull: PullPolicy
    package var contexts: [NamedContext] = []
    /// The digests that names are to stand for.
    package var lock: BaseLock?
    /// Whether steps name the platform of the image, as the build has several.
    package var namesPlatforms = false

    package init(images: ImageTransfer, progress: ProgressReporter, pull: PullPolicy, contexts: [NamedContext] = []) {
        self.images = images
        self.progress = progress
        self.pull = pull
        self.contexts = contexts
    }

    package func resolve(layout context: String, platform: Platform) async throws -> ResolvedBase {
        try await progress.step("[context \(context)] load metadata for \(context)") { _ in
            guard case .layout(let layout)? = contexts.last(where: { $0.name == context })?.content else {
                throw ContextsError(.badContext, "there is no layout for the context '\(context)'")
            }
            let image = try await images.take(layout, platform: platform)
            return try await offload { [images] in
                let config = try images.config(of: image)
                // The name of a context for one platform ends with it.
                let name = try ImageReference(parsing: String(context.prefix(upTo: context.contextNameEnd)))
                return ResolvedBase(
                    source: ImageSource(
                        reference: name.with(tag: name.tag, digest: image.manifest?.digest), platform: config.platform,
                        diffIDs: config.diffIDs, imageID: image.id),
                    config: config)
            }
        }
    }

    package func resolve(_ name: ImageName, platform: Platform) async throws -> ResolvedBase {
        let place = namesPlatforms ? "\(platform) internal" : "internal"
        let meanings = try await offload { [self] in try self.meanings(of: name) }
        let shown = meanings.count == 1 ? meanings[0] : name.reference
        return try await progress.step("[\(place)] load metadata for \(shown)") { step in
            let (reference, image) = try await NetworkNotice.heard(by: step.notice) {
                let reference = try await choose(name, among: meanings)
                return (
                    reference, try await find(lock?.locked(reference, pull: pull) ?? reference, platform: platform)
                )
            }
            lock?.note(reference, image.rootDigest)
            let config = try await offload { [images] in try images.config(of: image) }
            return ResolvedBase(
                source: ImageSource(
                    reference: reference.with(tag: reference.tag, digest: image.rootDigest ?? reference.digest),
                    platform: config.platform, diffIDs: config.diffIDs, imageID: image.id),
                config: config)
        }
    }

    /// The images that a name may stand for: one where the store or the lock file has it.
    private func meanings(of name: ImageName) throws -> [ImageReference] {
        let found = try images.meanings(of: name) { reference in
            if let lock, lock.locked(reference, pull: pull) != reference { return true }
            return try pull.accepts(reference) && images.store.images.root(named: reference) != nil
        }
        return pull == .never ? Array(found.prefix(1)) : found
    }

    /// The one of several images that its registry has.
    private func choose(_ name: ImageName, among meanings: [ImageReference]) async throws -> ImageReference {
        guard meanings.count > 1 else { return meanings[0] }
        do { return try await images.registry.client.reference(for: name) } catch let error as RegistryError
            where pull == .newer
        {
            let known = try await offload { [images] in
                try ([name.reference] + meanings).first { try images.store.images.root(named: $0) != nil }
            }
            guard let known else { throw error }
            return known
        }
    }

    private func find(_ reference: ImageReference, platform: Platform) async throws -> StoredImage {
        let stored = try await offload { [images] in try images.stored(reference, for: platform) }
        if let stored, pull.accepts(reference) { return stored }
        if reference == EmbeddedBase.reference {
            try EmbeddedBase.requireSupport(for: platform)
            return try await offload { [images] in try EmbeddedBase(images: images).install() }
        }
        try pull.allow(reference)
        // Of an index that the store has, another entry is wanted.
        let known = try await offload { [images] in try images.store.images.root(named: reference) }
        let index = known.flatMap { root in
            pull.accepts(reference) && root.location != nil && root.descriptor.mediaType.isIndex
                ? root.descriptor.digest : nil
        }
        do { return try await images.resolve(reference, platform: platform, below: index) } catch let error
            as RegistryError
        {
            guard pull == .newer, let stored else { throw error }
            return stored
        }
    }
}

extension StepReporter {
    /// Shows what the network says as a line of the step's output.
    package var notice: @Sendable (String) -> Void { { output(.standardError, Array("\($0)\n".utf8)) } }
}

extension String {
    /// The end of a context's name without its platform.
    fileprivate var contextNameEnd: Index { firstRange(of: "::")?.lowerBound ?? endIndex }
}
