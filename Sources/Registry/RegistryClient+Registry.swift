import Diagnostics
package import OCI

/// An entry of what a registry finds for a term.
package struct FoundRepository: Hashable, Sendable {
    /// The name to pull it by.
    package let name: String
    package var description = ""
    package var stars: Int64 = 0
    package var isOfficial = false

    package init(name: String) { self.name = name }
}

extension RegistryClient {
    /// The repositories of a registry in its order.
    ///
    /// Source: the distribution project's API, "Listing Repositories". Throws ``RegistryError``; many registries keep the
    /// list to administrators or have none.
    package func catalog(of registry: String) async throws -> [String] {
        try await describing("cannot list the repositories of \(registry)") {
            let connection = try await connection(to: ImageReference(registry: registry, repository: "", tag: nil))
            let base = connection.endpoint.base
            let url = HTTPURL(scheme: base.scheme, host: base.host, port: base.port, target: "/v2/_catalog")
            do {
                return try await names("repositories", at: url, over: connection, for: .catalog)
            } catch let error as RegistryError where [.unauthorised, .denied, .notFound].contains(error.code) {
                throw RegistryError(
                    error.code, error.message,
                    hint: """
                        Many registries show the list to administrators only, or have none: use the registry's own \
                        pages, or 'lamina list-tags' for a repository that you know.
                        """, cause: error.cause)
            }
        }
    }

    /// The repositories whose names or descriptions have a term, at most `limit`.
    ///
    /// Docker Hub is asked by its search; of other registries, which have none, the names in the catalog are looked at.
    package func search(_ term: String, in registry: String, limit: Int) async throws -> [FoundRepository] {
        guard registry == "docker.io" else {
            return try await catalog(of: registry).lazy.filter { $0.contains(term) }.prefix(limit).map {
                FoundRepository(name: "\(registry)/\($0)")
            }
        }
        return try await describing("cannot search for '\(term)'") {
            let request = HTTPRequest(
                .get,
                try HTTPURL(parsing: "https://index.docker.io/v1/search").appending("q", term)
                    .appending("n", "\(limit)"), ["User-Agent": options.userAgent])
            return try await options.retry.run { _ in
                let response = try await transport.send(request, body: nil)
                guard response.status == 200 else { throw await Refusal(response, to: request).error }
                guard let bytes = try await response.body.collect(limit: Self.manifestLimit),
                    let results = (try? JSON(parsing: bytes))?["results"]?.array
                else { throw RegistryError(.malformedResponse, "\(request.url.authority) sent no list of results") }
                return Array(results.compactMap(Self.found).prefix(limit))
            }
        }
    }

    private static func found(_ json: JSON) -> FoundRepository? {
        guard let name = json["name"]?.string else { return nil }
        var found = FoundRepository(name: name)
        found.description = json["description"]?.string ?? ""
        found.stars = json["star_count"]?.integer ?? 0
        found.isOfficial = json["is_official"]?.bool ?? false
        return found
    }

    /// Removes a manifest by its digest, with all its tags; or a tag alone, where the registry can do that.
    ///
    /// Source: OCI distribution-spec, "Deleting Manifests" and "Deleting tags".
    package func delete(_ reference: ImageReference) async throws {
        try await describing("cannot delete \(reference)") {
            let connection = try await connection(to: reference)
            let url = connection.url("manifests/\(connection.referenceName)")
            do {
                _ = try await connection.send(HTTPRequest(.delete, url), for: .delete, expecting: [200, 202, 204])
            } catch let error as RegistryError where error.code == .rejected {
                let refusal = error.cause as? Refusal
                guard refusal?.status == 405 || refusal?.status == 400 else { throw error }
                let hint =
                    reference.digest == nil
                    ? """
                    This registry may not delete a tag alone: name the manifest by its digest, which 'lamina digest \
                    \(reference.familiar)' prints; all its tags go with it.
                    """ : "Deleting may be switched off in this registry; ask its administrator."
                throw RegistryError(error.code, error.message, hint: hint, cause: error.cause)
            }
        }
    }
}
