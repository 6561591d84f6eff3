import Diagnostics
package import OCI

extension RegistryClient {
    /// The manifests in a repository that name one of its manifests as their subject, such as signatures and SBOMs.
    ///
    /// A registry that does not list them keeps them in an index under a tag that is made of the subject's digest.
    /// Source: OCI distribution-spec, "Listing Referrers" and "Referrers Tag Schema".
    package func referrers(of subject: Digest, in reference: ImageReference) async throws -> [IndexDocument.Entry] {
        try await describing("cannot list what refers to \(reference.name)@\(subject)") {
            try await reading(reference) { connection in
                if let listed = try await connection.listedReferrers(of: subject, for: .pull) { return listed }
                return try await connection.taggedReferrers(of: subject, for: .pull)?.entries ?? []
            }
        }
    }

    /// Notes, where the registry does not list referrers by itself, that a manifest refers to another. Both are there.
    package func note(_ referrer: IndexDocument.Entry, on subject: Digest, in reference: ImageReference) async throws {
        try await describing("cannot note what refers to \(reference.name)@\(subject)") {
            let connection = try await connection(to: reference)
            guard try await connection.listedReferrers(of: subject, for: .push) == nil else { return }
            var index = try await connection.taggedReferrers(of: subject, for: .push) ?? IndexDocument()
            guard !index.entries.contains(where: { $0.descriptor.digest == referrer.descriptor.digest }) else { return }
            index.entries.append(referrer)
            let url = connection.url("manifests/\(subject.referrersTag)")
            let request = HTTPRequest(.put, url, ["Content-Type": MediaType.ociIndex.rawValue])
            _ = try await connection.send(
                request, body: HTTPBody(index.encoded(.compact)), for: .push, expecting: [200, 201, 202, 204])
        }
    }
}

extension Digest {
    /// The tag of the index of what refers to a manifest.
    package var referrersTag: String { "sha256-\(hex)" }
}

extension RepositoryConnection {
    private static let pageLimit = 100

    /// The referrers as the registry lists them; `nil` if it does not.
    fileprivate func listedReferrers(of subject: Digest, for access: Access) async throws -> [IndexDocument.Entry]? {
        var entries: [IndexDocument.Entry] = []
        var next: HTTPURL? = url("referrers/\(subject)")
        var pages = 0
        while let url = next {
            pages += 1
            guard pages <= Self.pageLimit else {
                throw RegistryError(.malformedResponse, "\(url.authority) lists referrers without an end")
            }
            let answer: Answer
            do {
                let request = HTTPRequest(.get, url, ["Accept": MediaType.ociIndex.rawValue])
                answer = try await send(request, for: access, expecting: [200])
            } catch let error as RegistryError where [.notFound, .rejected].contains(error.code) {
                return nil
            }
            guard let bytes = try await answer.response.body.collect(limit: RegistryClient.manifestLimit) else {
                throw RegistryError(.tooLarge, "the list of referrers is larger than 4 MiB")
            }
            // A page of a server that knows no such list, and answers everything.
            guard let page = try? IndexDocument(parsing: bytes) else { return nil }
            entries += page.entries
            next = try RegistryClient.nextPage(answer.response.fields.all("link")).map { try answer.url.resolving($0) }
        }
        return entries
    }

    /// The index under the tag of a subject; `nil` if there is none.
    fileprivate func taggedReferrers(of subject: Digest, for access: Access) async throws -> IndexDocument? {
        let request = HTTPRequest(
            .get, url("manifests/\(subject.referrersTag)"), ["Accept": RegistryClient.acceptedManifests])
        do {
            let answer = try await send(request, for: access, expecting: [200])
            guard let bytes = try await answer.response.body.collect(limit: RegistryClient.manifestLimit) else {
                throw RegistryError(.tooLarge, "the list of referrers is larger than 4 MiB")
            }
            guard let index = try? IndexDocument(parsing: bytes) else {
                throw RegistryError(
                    .malformedResponse, "the tag \(subject.referrersTag) is no index of what refers to an image")
            }
            return index
        } catch let error as RegistryError where error.code == .notFound {
            return nil
        }
    }
}
