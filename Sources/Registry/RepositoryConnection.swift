import Diagnostics
import OCI

/// Requests to one repository: with authorization, redirects and repetition.
struct RepositoryConnection: Sendable {
    /// An answer, and the URL that gave it in the end, to which its `Location` is relative.
    struct Answer: Sendable {
        let response: HTTPResponse
        let url: HTTPURL
    }

    /// The permissions of a request.
    enum Access: Hashable, Sendable {
        case pull
        case push
        /// Pushing, and reading another repository to mount a blob from it.
        case mount(from: String)
        /// Removing manifests.
        case delete
        /// Listing the repositories of the registry.
        case catalog
        /// Nothing but to be known to the registry.
        case login
    }

    let transport: any HTTPTransport
    let authenticator: Authenticator
    let retry: RetryPolicy
    let userAgent: String
    let reference: ImageReference
    let endpoint: RegistryEndpoint
    /// The turn to fetch a blob in several ranges; `nil` where each comes in one.
    var pieces: PieceTurn?

    /// The URL of something below the repository, e.g. `blobs/sha256:…`.
    func url(_ path: String) -> HTTPURL {
        let base = endpoint.base
        let url = HTTPURL(
            scheme: base.scheme, host: base.host, port: base.port,
            target: "\(endpoint.root)/\(reference.repository)/\(path)")
        return endpoint.namespace.map { url.appending("ns", $0) } ?? url
    }

    /// The URL an upload goes on at.
    ///
    /// A registry behind a proxy may not know that it is reached by TLS and name itself with `http`; another host in
    /// the clear is refused.
    func location(of answer: Answer) throws -> HTTPURL {
        guard let text = answer.response.fields["location"] else {
            throw RegistryError(
                .malformedResponse, "\(answer.url.authority) began an upload without saying where it goes on")
        }
        let location = try answer.url.resolving(text)
        guard endpoint.base.scheme == .https, location.scheme == .http else { return location }
        guard location.host == endpoint.base.host else { throw Self.downgrade(from: answer.url, to: location) }
        return location.secured(like: endpoint.base)
    }

    /// Sends a request until it is answered with one of the statuses expected.
    ///
    /// Throws `RegistryError`, also for any other status. `repeats` tells whether the request may be sent again after a
    /// failure that may pass.
    func send(
        _ request: HTTPRequest, body: HTTPBody? = nil, for access: Access, expecting statuses: Set<Int>,
        repeats: Bool = true
    ) async throws -> Answer {
        func sendOnce() async throws -> Answer {
            let answer = try await authorised(request, body, for: access)
            if statuses.contains(answer.response.status) { return answer }
            throw await Refusal(answer.response, to: HTTPRequest(request.method, answer.url)).error
        }
        return repeats ? try await retry.run { _ in try await sendOnce() } : try await sendOnce()
    }

    /// Sends a request with the authorization known, and answers one challenge.
    ///
    /// An authorization that worked before and does no longer is dropped and the request sent without, as some
    /// registries (Harbor) offer their token server only to requests without an authorization. An authorization just
    /// obtained that is refused ends it: to ask again would go on for ever.
    private func authorised(_ original: HTTPRequest, _ body: HTTPBody?, for access: Access) async throws -> Answer {
        let purpose = purpose(access)
        let isOwn = original.url.hasSameOrigin(as: endpoint.base)
        var request = original
        request.trust = isOwn ? endpoint.trust : endpoint.trust.forOtherServers
        request.fields["User-Agent"] = userAgent
        if isOwn { for field in endpoint.fields.fields { request.fields.append(field.name, field.value) } }
        var authorization = isOwn ? await authenticator.authorization(for: purpose) : nil
        var isFresh = false
        while true {
            // A server that is configured with one keeps it as long as it wants no other.
            request.fields["Authorization"] =
                authorization ?? (isOwn ? endpoint.fields["Authorization"] : nil)
            let answer = try await followed(request, body)
            guard answer.response.status == 401, answer.url.hasSameOrigin(as: endpoint.base) else { return answer }
            if let refused = authorization { await authenticator.forget(refused, for: purpose) }
            if isFresh { throw await refusal(of: authorization, answer, request) }
            if authorization != nil {
                await drain(answer.response)
                authorization = nil
                continue
            }
            authorization = try await authenticator.answer(
                answer.response, from: answer.url, trust: endpoint.trust, for: purpose)
            if authorization == nil { return answer }
            await drain(answer.response)
            isFresh = true
        }
    }

    private func refusal(of authorization: String?, _ answer: Answer, _ request: HTTPRequest) async -> RegistryError {
        let challenges = Challenge.parse(answer.response.fields.all("www-authenticate"))
        let error = await Refusal(answer.response, to: request).error
        if authorization?.hasPrefix("Basic ") == true {
            return RegistryError(
                .unauthorised, "\(error.message): user name or password were not accepted",
                hint: "Log in to \(answer.url.authority) again, by 'lamina login \(answer.url.authority)'.",
                cause: error.cause)
        }
        let isScope = challenges.contains { $0.parameters["error"] == "insufficient_scope" }
        guard isScope else { return error }
        return RegistryError(
            .denied, "\(error.message): the login does not allow this",
            hint: "Log in to \(answer.url.authority) with an account that may do this.", cause: error.cause)
    }

    private func purpose(_ access: Access) -> Authenticator.Purpose {
        let name = reference.repository
        let scopes: [String] =
            switch access {
            case .pull: ["repository:\(name):pull"]
            case .push: ["repository:\(name):pull,push"]
            case .delete: ["repository:\(name):pull,delete"]
            case .catalog: ["registry:catalog:*"]
            case .login: []
            case .mount(let origin): ["repository:\(name):pull,push", "repository:\(origin):pull"]
            }
        return Authenticator.Purpose(
            registry: endpoint.loginName ?? reference.registry, repository: name, scopes: scopes)
    }

    private static let redirects: Set<Int> = [301, 302, 303, 307, 308]

    /// Sends a request and follows where the answers point, at most ten times.
    ///
    /// Credentials stay with the origin they are for: presigned URLs fail when they get some, and others must not.
    private func followed(_ original: HTTPRequest, _ body: HTTPBody?) async throws -> Answer {
        var request = original
        for _ in 0...10 {
            let response = try await transport.send(request, body: body)
            guard Self.redirects.contains(response.status), let location = response.fields["location"] else {
                return Answer(response: response, url: request.url)
            }
            let isRead = request.method == .get || request.method == .head
            // The others would turn an upload into a GET.
            guard isRead || response.status == 307 || response.status == 308 else {
                return Answer(response: response, url: request.url)
            }
            await drain(response)
            let next = try request.url.resolving(location)
            if request.url.scheme == .https, next.scheme == .http, endpoint.trust.verifiesServer {
                throw Self.downgrade(from: request.url, to: next)
            }
            if !request.url.hasSameOrigin(as: next) {
                request.fields["Authorization"] = nil
                // They are for the server that is configured, and may hold a secret.
                for field in endpoint.fields.fields { request.fields[field.name] = nil }
                request.trust = request.trust.forOtherServers
            }
            request.url = next
        }
        throw RegistryError(.unsafeRedirect, "\(original.url.authority) redirects more than 10 times")
    }

    private static func downgrade(from server: HTTPURL, to other: HTTPURL) -> RegistryError {
        RegistryError(
            .unsafeRedirect, "\(server.authority) points from HTTPS to plain HTTP at \(other.authority)",
            hint: "Ask the administrator of the registry to correct its external address.")
    }

    /// Reads the rest of a short answer, so that its connection can be used again.
    private func drain(_ response: HTTPResponse) async {
        _ = try? await response.body.collect(limit: 65536)
    }
}
