import Diagnostics
import Logins
import OCI
import Testing

@testable import Registry

/// Harbor's behaviours, as far as they differ from the specification's: challenges, tokens, policies and quotas.
@Suite("Harbor") struct HarborTests {
    private let reference = ImageReference(registry: "r.test", repository: "team/app", tag: "1")
    private let robot = Credential.password(user: "robot$team+ci", password: "p")

    private func refusal(_ code: String, _ message: String) -> String {
        #"{"errors":[{"code":"\#(code)","message":"\#(message)"}]}"#
    }

    @Test("A robot's token is asked for by its name, and an empty access token is none")
    func robots() async throws {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in
            if exchange.line.contains("/service/token") {
                return HTTPResponse(200, [:], #"{"token":"t","access_token":"","expires_in":1800}"#)
            }
            if exchange.authorization == "Bearer t" { return HTTPResponse(200, [:], bytes: sample.bytes) }
            let challenge = #"Bearer realm="https://r.test/service/token",service="harbor-registry""#
            return HTTPResponse(401, ["WWW-Authenticate": challenge])
        }
        _ = try await makeClient(transport, credential: robot).resolve(reference, platform: linux)
        let token = try #require(transport.exchanges.first { $0.line.contains("/service/token") })
        #expect(token.line.contains("account=robot%24team%2Bci"))
        #expect(token.authorization == basicAuthorization("robot$team+ci", "p"))
    }

    @Test(
        "A token that is no longer good is answered by a challenge for a password, and the next request by one for a token"
    )
    func switchesSchemes() async throws {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, index in
            if exchange.line.contains("/service/token") {
                return HTTPResponse(200, [:], #"{"token":"t\#(index)"}"#)
            }
            switch exchange.authorization {
            case nil:
                let challenge = #"Bearer realm="https://r.test/service/token",service="harbor-registry""#
                return HTTPResponse(401, ["WWW-Authenticate": challenge])
            // The first token is used up after two requests.
            case "Bearer t1" where index > 3: return HTTPResponse(401, ["WWW-Authenticate": #"Basic realm="harbor""#])
            default: return HTTPResponse(200, [:], bytes: sample.bytes)
            }
        }
        let client = makeClient(transport, credential: robot)
        for _ in 0..<4 { _ = try await client.resolve(reference, platform: linux) }
        #expect(transport.lines.count { $0.contains("/service/token") } == 2)
    }

    @Test(
        "What a pull is refused for is said in Harbor's words, with advice",
        arguments: [
            (
                412, "PROJECTPOLICYVIOLATION",
                "current image with 3 vulnerabilities cannot be pulled due to configured policy", "policy"
            ),
            (404, "NOT_FOUND", "artifact team/app:1 not found", "Check the name"),
            (401, "UNAUTHORIZED", "unauthorized to access repository: team/app, action: pull", "lamina login"),
            (403, "DENIED", "requested access to the resource is denied", "lamina login"),
            (429, "TOO_MANY_REQUEST", "upstream limit", "Wait"),
        ])
    func pullRefused(_ status: Int, _ code: String, _ message: String, _ advice: String) async throws {
        let body = refusal(code, message)
        let client = makeClient(FakeTransport { _, _ in HTTPResponse(status, ["Retry-After": "3600"], body) })
        let error = try await registryError { _ = try await client.resolve(reference, platform: linux) }
        #expect(error?.message.contains(message) == true && error?.message.contains("\(status)") == true)
        #expect(error?.hint?.contains(advice) == true, "\(error?.hint ?? "")")
    }

    @Test(
        "What a push is refused for is said in Harbor's words, with advice",
        arguments: [
            (
                403, "DENIED",
                "adding 50.0 MiB of storage resource, which when updated to current usage of 1.0 GiB will exceed the configured upper limit of 1.0 GiB",
                "quota"
            ),
            (403, "DENIED", "The system is in read only mode. Any modification is prohibited.", "try again later"),
            (403, "DENIED", "can not push artifact to a proxy project: team", "another project"),
            (412, "PRECONDITION", "Failed to process request due to 'app:1' configured as immutable.", "policy"),
            (404, "NOT_FOUND", "project team not found", "Create the project"),
        ])
    func pushRefused(_ status: Int, _ code: String, _ message: String, _ advice: String) async throws {
        let body = refusal(code, message)
        let client = makeClient(FakeTransport { _, _ in HTTPResponse(status, [:], body) })
        let error = try await registryError {
            _ = try await client.pushManifest(SampleImage().bytes, type: .ociManifest, as: reference)
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.hint?.contains(advice) == true, "\(error?.hint ?? "")")
    }
}
