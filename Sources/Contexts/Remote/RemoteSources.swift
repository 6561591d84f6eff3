import Asynchrony
import Diagnostics
package import Graph
package import Images
import Linux
package import OCI
import Registry
package import Requests
package import Solver
package import Store
import Synchronization
import Trees

/// The states of remote files and repositories during one build: each server is asked once.
package final class RemoteSources: Sendable {
    private struct State {
        var files: [HTTPSource: RemoteFile] = [:]
        var commits: [GitSource: GitCommit] = [:]
        /// The files whose fetching progress has shown already.
        var shown: Set<HTTPSource> = []
    }

    package let store: StoreRoot
    private let registry: RegistryAccess
    private let credentials: BuildCredentials
    package let progress: ProgressReporter
    private let state = Mutex(State())

    package init(store: StoreRoot, registry: RegistryAccess, credentials: BuildCredentials, progress: ProgressReporter)
    {
        self.store = store
        self.registry = registry
        self.credentials = credentials
        self.progress = progress
    }

    /// Whether the step that fetches the file has been shown; then the solver need not show it.
    package func hasShown(_ source: HTTPSource) -> Bool { state.withLock { $0.shown.contains(source) } }

    /// The file that the server has now. It is in the store afterwards, as only its content gives its key.
    ///
    /// This happens while keys are put together, before the solver shows anything, so it is a step of its own.
    package func current(_ source: HTTPSource, label: String) async throws -> RemoteFile {
        if let known = state.withLock({ $0.files[source] }) { return known }
        state.withLock { _ = $0.shown.insert(source) }
        let step = progress.begin(label)
        do {
            let claim = try await claim(source, step: step)
            defer { withExtendedLifetime(claim) {} }
            let (file, isNew) = try await download(source).current(step: step)
            step.finish(isNew ? .done : .cached)
            state.withLock { $0.files[source] = file }
            return file
        } catch {
            step.finish(error)
            throw error
        }
    }

    /// Waits until no other build asks for the file: what that one fetches, the server need not send again.
    private func claim(_ source: HTTPSource, step: StepReporter) async throws -> HeldClaim {
        var key = KeyHasher("remote-claim/1")
        key.add(source.url)
        let digest = key.finish()
        return try await LockWaiter.wait(busy: { step.status("waiting for the same download of another build") }) {
            try await offload { [store] in try store.claims.attempt(digest) }
        }
    }

    /// The file with the checksum that the source names; the server is asked only when it is not in the store.
    package func proven(_ source: HTTPSource, by checksum: Digest, step: StepReporter) async throws -> RemoteFile {
        try await download(source).proven(by: checksum, step: step)
    }

    /// The file that a source means, proven where it says by what.
    package func file(_ source: HTTPSource, label: String) async throws -> RemoteFile {
        guard let checksum = source.checksum else { return try await current(source, label: label) }
        return try await progress.step(label) { try await proven(source, by: checksum, step: $0) }
    }

    /// An object as its bucket has it now. It is in the store afterwards.
    ///
    /// - Throws: `ImagesError` `.noCredentials`, and as S3 clients do.
    package func file(_ object: S3Object, label: String) async throws -> RemoteFile {
        try await progress.step(label) { step in
            let client = try registry.client(for: object.bucket)
            let file = try await client.read(object.key) { response in
                try await store.receive(response, step: step)
            }
            let now = Timestamp.now
            try await offload { [store] in
                // A record keeps the content for as long as it is of use.
                try store.remoteFiles.save(
                    file, at: "\(object.bucket.url(of: object.key))", description: "\(object)", now: now)
            }
            return file
        }
    }

    private func download(_ source: HTTPSource) -> HTTPDownload {
        HTTPDownload(source: source, store: store, web: registry.web, credentials: credentials)
    }

    /// The commit that a source means now.
    package func commit(of source: GitSource) async throws -> GitCommit {
        if let known = state.withLock({ $0.commits[source] }) { return known }
        let commit = try await repository(source).resolve()
        state.withLock { $0.commits[source] = commit }
        return commit
    }

    /// A repository in a directory of its own, which goes away with it.
    package func repository(_ source: GitSource) throws -> GitRepository {
        try GitRepository(
            source, in: store, environment: registry.environment, credentials: credentials,
            isOffline: registry.isOffline)
    }
}
