import Diagnostics
import Logins
import OCI
import Testing

@testable import Registry

@Suite struct AuthenticationTests {
    private static let realm =
        #"Bearer realm="https://auth.test/token",service="r.test",scope="repository:team/app:pull""#

    /// A registry that wants `authorization` for everything, and a token server that grants `token`.
    private func guarded(
        by challenge: String, wanting authorization: String, token: String = #"{"token":"T"}"#
    ) -> FakeTransport {
        let sample = SampleImage()
        return FakeTransport { exchange, _ in
            if exchange.request.url.host == "auth.test" { return HTTPResponse(200, [:], token) }
            guard exchange.authorization == authorization else {
                return HTTPResponse(401, ["WWW-Authenticate": challenge])
            }
            return HTTPResponse(200, ["Content-Type": MediaType.ociManifest.rawValue], bytes: sample.bytes)
        }
    }

    @Test("Basic authentication is sent after the challenge, then at once")
    func basic() async throws {
        let transport = guarded(by: "Basic realm=x", wanting: "Basic dTpwOnE=")
        let client = makeClient(transport, credential: .password(user: "u", password: "p:q"))
        _ = try await client.resolve(image, platform: linux)
        #expect(transport.exchanges.map(\.authorization) == [nil, "Basic dTpwOnE="])
        _ = try await client.resolve(image, platform: linux)
        #expect(transport.exchanges.count == 3, "the second image needs no challenge")
    }

    @Test func bearerAnonymous() async throws {
        let transport = guarded(by: Self.realm, wanting: "Bearer T")
        _ = try await makeClient(transport).resolve(image, platform: linux)
        let question = transport.exchanges[1]
        #expect(
            question.line == "GET https://auth.test/token?service=r.test&scope=repository:team/app:pull")
        #expect(question.authorization == nil)
    }

    @Test("A token is asked for once for each resource, however the registry orders the actions")
    func scopes() {
        let merged = TokenRequest.merged([
            "repository:a:pull,push", "repository:a:push,pull", "repository:a:pull", "repository:host:5000/b:pull",
            "registry:catalog:*", "odd",
        ])
        #expect(
            merged == ["odd", "registry:catalog:*", "repository:a:pull,push", "repository:host:5000/b:pull"])
        #expect(TokenRequest.merged([]).isEmpty)
    }

    @Test func bearerWithPassword() async throws {
        let transport = guarded(
            by: Self.realm, wanting: "Bearer T", token: #"{"access_token":"","token":"T","expires_in":300}"#)
        _ = try await makeClient(transport, credential: .password(user: "u$x", password: "p"), trustingRealm)
            .resolve(image, platform: linux)
        let question = transport.exchanges[1]
        #expect(question.request.url.target.hasSuffix("&account=u%24x"))
        #expect(question.authorization == "Basic dSR4OnA=")
    }

    @Test func identityTokenIsExchanged() async throws {
        let transport = guarded(by: Self.realm, wanting: "Bearer T", token: #"{"access_token":"T"}"#)
        _ = try await makeClient(transport, credential: .identityToken("a+b"), trustingRealm)
            .resolve(image, platform: linux)
        let question = transport.exchanges[1]
        #expect(question.line == "POST https://auth.test/token")
        let form = String(decoding: question.body, as: UTF8.self)
        #expect(form.contains("grant_type=refresh_token&service=r.test"))
        #expect(form.hasSuffix("refresh_token=a%2Bb"))
    }

    /// Allows the token server of these tests, which is of another domain than their registry.
    private func trustingRealm(_ options: inout RegistryClient.Options) { options.allowedRealms = ["auth.test"] }

    @Test("A login goes to no token server of another domain unless that is allowed", arguments: [true, false])
    func foreignRealm(_ hasLogin: Bool) async throws {
        let transport = guarded(by: Self.realm, wanting: "Bearer T")
        let credential = hasLogin ? Credential.password(user: "u", password: "p") : nil
        let error = try await registryError {
            _ = try await makeClient(transport, credential: credential).resolve(image, platform: linux)
        }
        #expect(error?.code == (hasLogin ? .unsafeRealm : nil))
        #expect(transport.exchanges.contains { $0.request.url.host == "auth.test" } == !hasLogin)
        if hasLogin { #expect(error?.hint?.contains("--allow-auth-realm auth.test") == true) }
    }

    /// The token servers of registries in use, and those that must not get a login.
    @Test(arguments: [
        ("registry-1.docker.io", "auth.docker.io", true), ("ghcr.io", "ghcr.io", true),
        ("registry.gitlab.com", "gitlab.com", true), ("quay.io", "quay.io", true),
        ("registry.corp.co.uk", "gitlab.corp.co.uk", true), ("harbor.corp.test", "harbor.corp.test:8443", true),
        ("x.azurecr.io", "x.azurecr.io", true), ("registry.digitalocean.com", "api.digitalocean.com", true),
        ("registry.cn-hangzhou.aliyuncs.com", "dockerauth.cn-hangzhou.aliyuncs.com", true),
        ("rg.fr-par.scw.cloud", "api.scaleway.com", true), ("docker.elastic.co", "docker-auth.elastic.co", true),
        ("10.0.0.1:5000", "10.0.0.1:5001", true), ("localhost:5000", "localhost:5001", true),
        ("r.test", "auth.test", false), ("corp.co.uk", "evil.co.uk", false), ("x.azurecr.io", "y.azurecr.io", false),
        ("10.0.0.1", "11.0.0.1", false), ("registry", "auth", false), ("a.docker.io", "docker.io.evil.test", false),
        ("registry.example.com", "example.com.au", false), ("[fd00::1]:5000", "[fd00::2]:5000", false),
    ])
    func realmsOfRegistries(_ registry: String, _ realm: String, _ isAllowed: Bool) throws {
        let url = try HTTPURL(parsing: "https://\(realm)/token")
        let base = try HTTPURL(parsing: "https://\(registry)")
        let isRefused: Bool
        do {
            try RealmPolicy().check(url, for: base)
            isRefused = false
        } catch { isRefused = error is RegistryError }
        #expect(isRefused == !isAllowed)
    }

    @Test("A token server that knows forms only gets the password in a form", arguments: [404, 405])
    func passwordInAForm(_ status: Int) async throws {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in
            switch (exchange.request.url.host, exchange.request.method) {
            case ("auth.test", .get): HTTPResponse(status)
            case ("auth.test", _): HTTPResponse(200, [:], #"{"access_token":"T"}"#)
            default:
                exchange.authorization == "Bearer T"
                    ? HTTPResponse(200, [:], bytes: sample.bytes)
                    : HTTPResponse(401, ["WWW-Authenticate": Self.realm])
            }
        }
        _ = try await makeClient(transport, credential: .password(user: "u", password: "p&q"), trustingRealm)
            .resolve(image, platform: linux)
        let form = try #require(transport.exchanges.first { $0.request.method == .post })
        #expect(form.authorization == nil)
        #expect(
            String(decoding: form.body, as: UTF8.self)
                == "grant_type=password&service=r.test&client_id=lamina&scope=repository:team/app:pull&username=u&password=p%26q"
        )
    }

    @Test("A login gives the refresh token that a server grants, otherwise the password", arguments: [true, false])
    func logsIn(_ grantsRefresh: Bool) async throws {
        let transport = FakeTransport { exchange, _ in
            if exchange.request.url.host == "auth.test" {
                return HTTPResponse(
                    200, [:], grantsRefresh ? #"{"token":"T","refresh_token":"R"}"# : #"{"token":"T"}"#)
            }
            return exchange.authorization == "Bearer T"
                ? HTTPResponse(200) : HTTPResponse(401, ["WWW-Authenticate": Self.realm])
        }
        let password = Credential.password(user: "u", password: "p")
        let kept = try await makeClient(transport, trustingRealm).login(to: "r.test", with: password)
        #expect(kept == (grantsRefresh ? .identityToken("R") : password))
        #expect(transport.lines.first == "GET https://r.test/v2/")
        #expect(transport.exchanges[1].request.url.target.hasSuffix("&client_id=lamina&offline_token=true"))
    }

    @Test("A login reaches a registry as everything else does", arguments: [true, false])
    func logsInToAnInsecureRegistry(_ isCalledInsecure: Bool) async throws {
        try await withDirectory { directory in
            let file = "\(directory)/registries.conf"
            try write("[[registry]]\nlocation='r.test'\ninsecure=\(isCalledInsecure)\n", to: file)
            let transport = FakeTransport { exchange, _ in
                if exchange.request.url.scheme == .https { throw RegistryError(.plainHTTP, "no TLS") }
                return HTTPResponse(200)
            }
            let client = makeClient(transport) {
                $0.configuration = RegistryConfigurationFiles(
                    containers: [(file, "\(directory)/d")], daemon: [], mirrors: [])
            }
            let password = Credential.password(user: "u", password: "p")
            let error = try await registryError { _ = try await client.login(to: "r.test", with: password) }
            #expect(error?.code == (isCalledInsecure ? nil : .plainHTTP))
            let secure = "GET https://r.test/v2/"
            #expect(transport.lines == (isCalledInsecure ? [secure, "GET http://r.test/v2/"] : [secure]))
        }
    }

    @Test("A refused login is said to be one")
    func refusesLogin() async throws {
        let transport = guarded(by: "Basic realm=x", wanting: "Basic other")
        let error = try await registryError {
            _ = try await makeClient(transport).login(to: "r.test", with: .password(user: "u", password: "p"))
        }
        #expect(error?.code == .unauthorised && error?.message.hasPrefix("cannot log in to r.test: ") == true)
    }

    @Test("Client certificates go to the registry alone", arguments: ["r.test", "auth.test"])
    func clientCertificate(_ host: String) async throws {
        try await withDirectory { directory in
            for name in ["ca.crt", "client.cert", "client.key"] { try write("PEM", to: "\(directory)/r.test/\(name)") }
            let sample = SampleImage()
            let transport = FakeTransport { exchange, _ in
                if exchange.request.url.target.hasPrefix("/token") { return HTTPResponse(200, [:], #"{"token":"T"}"#) }
                return exchange.authorization == nil
                    ? HTTPResponse(401, ["WWW-Authenticate": #"Bearer realm="https://\#(host)/token""#])
                    : HTTPResponse(200, [:], bytes: sample.bytes)
            }
            _ = try await makeClient(transport) {
                $0.certificates = CertificateDirectories(parents: [directory])
            }.resolve(image, platform: linux)
            for exchange in transport.exchanges {
                let trust = exchange.request.trust
                #expect(trust.authorities == Array("PEM\n".utf8) && trust.verifiesServer)
                #expect((trust.clientCertificate != nil) == (exchange.request.url.host == "r.test"))
            }
        }
    }

    @Test func registryTokenIsUsedAsItIs() async throws {
        let transport = guarded(by: Self.realm, wanting: "Bearer direct")
        _ = try await makeClient(transport, credential: .registryToken("direct")).resolve(image, platform: linux)
        #expect(transport.exchanges.count == 2)
    }

    @Test func insufficientScopeEnds() async throws {
        let transport = FakeTransport { exchange, _ in
            if exchange.request.url.host == "auth.test" { return HTTPResponse(200, [:], #"{"token":"T"}"#) }
            return HTTPResponse(401, ["WWW-Authenticate": Self.realm + #",error="insufficient_scope""#])
        }
        let error = try await registryError {
            _ = try await makeClient(transport).resolve(image, platform: linux)
        }
        #expect(error?.code == .denied)
        #expect(transport.exchanges.count == 3)
    }

    @Test func wrongPasswordIsSaidSo() async throws {
        let transport = guarded(by: "Basic realm=x", wanting: "Basic other")
        let error = try await registryError {
            _ = try await makeClient(transport, credential: .password(user: "u", password: "p"))
                .resolve(image, platform: linux)
        }
        #expect(error?.code == .unauthorised)
        #expect(error?.message.contains("r.test/team/app:1") == true)
        #expect(error?.message.contains("not accepted") == true)
    }

    @Test func staleTokenLeadsToAFreshChallenge() async throws {
        // Harbor offers Basic to who comes with a bad token, and its token server only to who comes without.
        let sample = SampleImage()
        let transport = FakeTransport { exchange, index in
            if exchange.request.url.host == "auth.test" {
                return HTTPResponse(200, [:], #"{"token":"T\#(index)"}"#)
            }
            switch (exchange.authorization, index) {
            case (nil, _): return HTTPResponse(401, ["WWW-Authenticate": Self.realm])
            case ("Bearer T1", 3...): return HTTPResponse(401, ["WWW-Authenticate": #"Basic realm="harbor""#])
            default: return HTTPResponse(200, [:], bytes: sample.bytes)
            }
        }
        let client = makeClient(transport)
        _ = try await client.resolve(image, platform: linux)
        _ = try await client.resolve(image, platform: linux)
        #expect(
            transport.exchanges.map(\.authorization) == [nil, nil, "Bearer T1", "Bearer T1", nil, nil, "Bearer T5"])
    }

    @Test func passwordIsNotSentInTheClear() async throws {
        let transport = guarded(by: #"Bearer realm="http://auth.test/token""#, wanting: "Bearer T")
        let error = try await registryError {
            _ = try await makeClient(transport, credential: .password(user: "u", password: "p"))
                .resolve(image, platform: linux)
        }
        #expect(error?.code == .unsafeRedirect)
        #expect(transport.lines == ["GET https://r.test/v2/team/app/manifests/1"])
    }

    @Test(arguments: ["{}", #"{"token":""}"#, "<html>", #"{"token":"a\r\nX: y"}"#])
    func uselessTokens(_ body: String) async throws {
        let transport = guarded(by: Self.realm, wanting: "Bearer T", token: body)
        let error = try await registryError { _ = try await makeClient(transport).resolve(image, platform: linux) }
        #expect(error?.code == .malformedResponse)
    }

    @Test func refusedLoginNamesItself() async throws {
        let transport = FakeTransport { exchange, _ in
            exchange.request.url.host == "auth.test"
                ? HTTPResponse(401, [:], #"{"details":"incorrect username or password"}"#)
                : HTTPResponse(401, ["WWW-Authenticate": Self.realm])
        }
        let error = try await registryError { _ = try await makeClient(transport).resolve(image, platform: linux) }
        #expect(error?.code == .unauthorised)
        #expect(error?.message.contains("auth.test") == true)
    }

    @Test(arguments: ["r.test:8443", "auth.test"])
    func onlyTheOwnTokenServerOfAnInsecureRegistryIsTrusted(_ host: String) async throws {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in
            if exchange.request.url.target.hasPrefix("/token") { return HTTPResponse(200, [:], #"{"token":"T"}"#) }
            return exchange.authorization == nil
                ? HTTPResponse(401, ["WWW-Authenticate": #"Bearer realm="https://\#(host)/token""#])
                : HTTPResponse(200, [:], bytes: sample.bytes)
        }
        _ = try await makeClient(transport) { $0.insecureRegistries = ["r.test"] }.resolve(image, platform: linux)
        let question = try #require(transport.exchanges.first { $0.request.url.target.hasPrefix("/token") })
        #expect(question.request.trust.verifiesServer == (host == "auth.test"))
    }

    @Test func tokenServerMayFailForAMoment() async throws {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, index in
            if exchange.request.url.host == "auth.test" {
                return index == 1 ? HTTPResponse(503) : HTTPResponse(200, [:], #"{"token":"T"}"#)
            }
            return exchange.authorization == nil
                ? HTTPResponse(401, ["WWW-Authenticate": Self.realm]) : HTTPResponse(200, [:], bytes: sample.bytes)
        }
        _ = try await makeClient(transport).resolve(image, platform: linux)
        #expect(transport.exchanges.count { $0.request.url.host == "auth.test" } == 2)
    }

    @Test func concurrentRequestsShareOneToken() async throws {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in
            if exchange.request.url.host == "auth.test" {
                try await Task.sleep(for: .milliseconds(50))
                return HTTPResponse(200, [:], #"{"token":"T"}"#)
            }
            guard exchange.authorization == "Bearer T" else {
                return HTTPResponse(401, ["WWW-Authenticate": Self.realm])
            }
            return HTTPResponse(200, [:], bytes: sample.bytes)
        }
        let client = makeClient(transport)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try await client.resolve(image, platform: linux) } }
            try await group.waitForAll()
        }
        #expect(transport.exchanges.count { $0.request.url.host == "auth.test" } == 1)
    }
}
