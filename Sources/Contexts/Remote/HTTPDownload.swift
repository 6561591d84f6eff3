import Diagnostics
package import Graph
import Linux
package import OCI
package import Registry
package import Solver
package import Store
import Synchronization

/// Brings one file of a server into the store.
package struct HTTPDownload: Sendable {
    package let source: HTTPSource
    package let store: StoreRoot
    package let web: WebFiles
    package let credentials: BuildCredentials

    /// The file as the server has it now; one that is in the store is not sent again when the server can tell that it
    /// has not changed.
    package func current(step: StepReporter) async throws -> (file: RemoteFile, isNew: Bool) {
        let known = try await offload { [self] in try store.remoteFiles.file(at: source.url) }
        let answer = try await fetch(unless: known, step: step)
        if answer.isNew { try await remember(answer.file) }
        return answer
    }

    /// The file with this digest, from the store if it is there. Throws ``ContextsError`` `.checksum`.
    package func proven(by checksum: Digest, step: StepReporter) async throws -> RemoteFile {
        let stored = try await offload { [self] () -> RemoteFile? in
            let known = try store.remoteFiles.file(at: source.url)
            if let known, known.digest == checksum { return known }
            return try store.content.size(of: checksum).map {
                RemoteFile(digest: checksum, size: $0, tag: nil, modified: nil)
            }
        }
        if let stored { return stored }
        let file = try await fetch(unless: nil, step: step).file
        try await remember(file)
        return file
    }

    private func remember(_ file: RemoteFile) async throws {
        let now = Timestamp.now
        try await offload { [self] in
            try store.remoteFiles.save(file, at: source.url, description: source.fileName, now: now)
        }
    }

    // MARK: Network

    private func fetch(
        unless known: RemoteFile?, step: StepReporter
    ) async throws -> (file: RemoteFile, isNew: Bool) {
        var address: WebAddress?
        var login: RemoteLogin?
        do {
            let server = try WebAddress(parsing: source.url)
            address = server
            login = try await offload { [credentials] in try credentials.fileLogin(server.url) }
            var fields = HTTPFields()
            if let tag = known?.tag { fields.append("If-None-Match", tag) }
            fields["Authorization"] = login?.authorization
            // A file that is proven by its checksum may come by any way.
            let allowsDowngrade = source.checksum != nil
            return try await web.get(server, fields, allowsDowngrade: allowsDowngrade) { response in
                guard response.status == 304, let known else {
                    return (try await store.receive(response, expecting: source.checksum, step: step), true)
                }
                _ = try await response.body.collect(limit: 65536)
                return (known, false)
            }
        } catch let error as RegistryError {
            // The file as it was last time is what a build without the network can have.
            if error.code == .offline, let known { return (known, false) }
            throw ContextsError(
                .download, "failed to load cache key: \(error.message)", hint: Self.hint(error, address, login),
                cause: error)
        }
    }

    private static func hint(_ error: RegistryError, _ address: WebAddress?, _ login: RemoteLogin?) -> String? {
        switch error.code {
        case .unauthorised, .denied:
            login.map { "Check the secret \($0.secret)." }
                ?? address.map { "Give a token for it with --secret id=\(RemoteLogin.fileSecret($0.url)),src=FILE." }
        case .unreachable: "Check the address, the network and the proxy settings."
        case .plainHTTP: "Write the URL with http:// if that is meant to be."
        default: error.hint
        }
    }
}
