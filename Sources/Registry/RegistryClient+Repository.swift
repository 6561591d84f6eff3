import Diagnostics
package import OCI

extension RegistryClient {
    /// The largest number of pages that a list may have.
    private static let pageLimit = 1000

    /// The tags of a repository in the order of its registry; tag and digest of `reference` do not matter.
    ///
    /// Throws ``RegistryError``, e.g. `.notFound`.
    package func tags(of reference: ImageReference) async throws -> [String] {
        try await describing("cannot list the tags of \(reference.name)") {
            let connection = try await connection(to: reference)
            return try await names("tags", at: connection.url("tags/list"), over: connection, for: .pull)
        }
    }

    /// The names in the member `key` of all pages of a list that begins at a URL.
    func names(
        _ key: String, at url: HTTPURL, over connection: RepositoryConnection, for access: RepositoryConnection.Access
    ) async throws -> [String] {
        var names: [String] = []
        var next: HTTPURL? = url.appending("n", "1000")
        var pages = 0
        while let url = next {
            pages += 1
            guard pages <= Self.pageLimit else {
                throw RegistryError(.malformedResponse, "\(url.authority) lists \(key) without an end")
            }
            let answer = try await connection.send(HTTPRequest(.get, url), for: access, expecting: [200])
            guard let bytes = try await answer.response.body.collect(limit: Self.manifestLimit),
                let json = try? JSON(parsing: bytes), json.object != nil
            else { throw RegistryError(.malformedResponse, "\(url.authority) sent no list of \(key)") }
            names += (json[key]?.array ?? []).compactMap(\.string)
            next = try Self.nextPage(answer.response.fields.all("link")).map { try answer.url.resolving($0) }
        }
        return names
    }

    /// The target of the link to the next page. Source: RFC 8288; OCI distribution-spec, "Listing Tags".
    static func nextPage(_ fields: [String]) -> String? {
        for field in fields {
            guard let start = field.firstIndex(of: "<"), let end = field[start...].firstIndex(of: ">") else { continue }
            let parameters = field[field.index(after: end)...].lowercased().filter { $0 != " " && $0 != "\"" }
            if parameters.split(separator: ";").contains("rel=next") {
                return String(field[field.index(after: start)..<end])
            }
        }
        return nil
    }

    /// The descriptor of the manifest or index that a name stands for, without a download where the registry tells it.
    package func descriptor(of reference: ImageReference) async throws -> Descriptor {
        let found: Descriptor? = try await describing("cannot look up \(reference)") {
            try await reading(reference) { try await announced(reference, over: $0) }
        }
        if let found { return found }
        return try await fetchManifest(reference).descriptor
    }

    /// The descriptor of what a name stands for where it would be pushed, as far as the registry tells it: mirrors are
    /// not asked. `nil` if there is nothing, or nothing that this login may read.
    package func targetDescriptor(of reference: ImageReference) async throws -> Descriptor? {
        try await describing("cannot look up \(reference)") {
            do { return try await announced(reference, over: connection(to: reference)) } catch let error
                as RegistryError where [.notFound, .unauthorised, .denied].contains(error.code)
            {
                // Registries hide what is not there behind a refusal; whether it may be written shows then.
                return nil
            }
        }
    }

    /// Asks for a manifest without its content; `nil` if the answer does not tell enough.
    private func announced(
        _ reference: ImageReference, over connection: RepositoryConnection
    ) async throws -> Descriptor? {
        let request = HTTPRequest(
            .head, connection.url("manifests/\(connection.referenceName)"), ["Accept": Self.acceptedManifests])
        do {
            let fields = try await connection.send(request, for: .pull, expecting: [200]).response.fields
            return Self.descriptor(fields, expecting: reference.digest)
        } catch let error as RegistryError where error.code == .rejected {
            // HEAD is not known here.
            return nil
        }
    }

    /// The descriptor in the fields of an answer; `nil` if they do not tell it, or another than was asked for.
    private static func descriptor(_ fields: HTTPFields, expecting wanted: Digest?) -> Descriptor? {
        guard let digest = fields["docker-content-digest"].flatMap({ try? Digest(parsing: $0) }),
            let size = fields["content-length"].flatMap({ Int64($0) }), size > 0, wanted ?? digest == digest,
            let type = fields["content-type"]?.split(separator: ";").first.map({ MediaType(rawValue: String($0)) }),
            type.isIndex || type.isManifest
        else { return nil }
        return Descriptor(mediaType: type, digest: digest, size: size)
    }

    /// A small blob as a whole, such as the config of an image.
    ///
    /// Throws ``RegistryError`` `.tooLarge` for more than 8 MiB, and `.digestMismatch`.
    package func blob(_ descriptor: Descriptor, of reference: ImageReference) async throws -> [UInt8] {
        guard descriptor.size <= 8 << 20 else {
            throw RegistryError(.tooLarge, "the blob \(descriptor.digest) is larger than 8 MiB")
        }
        let sink = MemoryBlob()
        try await fetchBlob(descriptor, of: reference, into: sink)
        return sink.bytes
    }
}
