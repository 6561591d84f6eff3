import Diagnostics
import Logins
import OCI
import Testing

@testable import Registry

@Suite struct CatalogTests {
    @Test func theCatalogIsReadPageByPage() async throws {
        let transport = FakeTransport { exchange, index in
            index == 0
                ? HTTPResponse(
                    200, ["Link": "</v2/_catalog?last=a&n=1000>; rel=\"next\""], #"{"repositories":["a"]}"#)
                : HTTPResponse(200, [:], #"{"repositories":["b/c"]}"#)
        }
        #expect(try await makeClient(transport).catalog(of: "r.test") == ["a", "b/c"])
        #expect(
            transport.lines == [
                "GET https://r.test/v2/_catalog?n=1000", "GET https://r.test/v2/_catalog?last=a&n=1000",
            ])
    }

    @Test(arguments: [401, 403, 404]) func aCatalogThatIsNotShownHasAHint(_ status: Int) async throws {
        let error = try await registryError {
            _ = try await makeClient(FakeTransport { _, _ in HTTPResponse(status) }).catalog(of: "r.test")
        }
        #expect(error?.hint?.contains("list-tags") == true)
    }

    /// Harbor answers with a challenge for a password to a request with a token, and to the one for the catalog.
    @Test func harborsCatalogIsAskedWithAPassword() async throws {
        let transport = FakeTransport { exchange, _ in
            exchange.authorization?.hasPrefix("Basic ") == true
                ? HTTPResponse(200, [:], #"{"repositories":["library/app"]}"#)
                : HTTPResponse(401, ["WWW-Authenticate": "Basic realm=\"harbor\""])
        }
        let client = RegistryClient(
            transport: transport,
            credentials: FixedCredential(.password(user: "robot$ci", password: "p"), for: "r.test"))
        #expect(try await client.catalog(of: "r.test") == ["library/app"])
    }

    @Test(arguments: [
        (nil as String?, 405, "lamina digest"), ("sha256:" + String(repeating: "a", count: 64), 405, "switched off"),
    ])
    func deletingThatIsRefusedSaysWhatToDo(_ digest: String?, _ status: Int, _ hint: String) async throws {
        let reference = try ImageReference(parsing: "r.test/app" + (digest.map { "@\($0)" } ?? ":1"))
        let transport = FakeTransport { _, _ in
            HTTPResponse(status, [:], #"{"errors":[{"code":"UNSUPPORTED","message":"no"}]}"#)
        }
        let error = try await registryError { try await makeClient(transport).delete(reference) }
        #expect(error?.hint?.contains(hint) == true)
        #expect(transport.lines == ["DELETE https://r.test/v2/app/manifests/\(digest ?? "1")"])
    }

    @Test func dockerHubIsAskedByItsSearch() async throws {
        let transport = FakeTransport { _, _ in
            HTTPResponse(
                200, [:],
                #"{"results":[{"name":"debian","description":"A base","star_count":7,"is_official":true},{"name":"a/b"}]}"#
            )
        }
        let found = try await makeClient(transport).search("deb ian", in: "docker.io", limit: 1)
        #expect(transport.lines == ["GET https://index.docker.io/v1/search?q=deb%20ian&n=1"])
        #expect(found.map(\.name) == ["debian"] && found[0].stars == 7 && found[0].isOfficial)
    }
}
