import Diagnostics
import Frontend
import OCI
import Requests
import SystemPackage
import Testing

/// The platforms of a build request.
@Suite struct BuildPlatformsTests {
    private func request(_ platforms: [String], _ argument: String? = nil, _ outputs: [BuildOutput] = []) throws
        -> BuildRequest
    {
        var request = BuildRequest(context: ".")
        if let argument { request.options.buildArguments = [("BUILDKIT_MULTI_PLATFORM", argument)] }
        request.outputs = outputs
        try request.setPlatforms(try platforms.map { try Platform(parsing: $0) })
        return request
    }

    @Test func withoutPlatformsItIsThisMachines() throws {
        let request = try request([])
        #expect(request.options.platform == .host && !request.options.isPlatformExplicit && !request.makesIndex)
        #expect(request.platformOptions(request.options).map(\.platform) == [.host])
    }

    @Test func duplicatesAreOne() throws {
        let request = try request(["linux/arm64", "linux/amd64", "linux/arm64/v8", "arm64"])
        #expect(request.platforms.map(\.description) == ["linux/arm64", "linux/amd64"])
        #expect(request.options.platform.architecture == "arm64" && request.makesIndex)
        #expect(try !self.request(["arm64", "linux/arm64"]).makesIndex)
    }

    @Test func eachPlatformHasItsOptions() throws {
        let request = try request(["linux/arm64", "linux/amd64"])
        let options = request.platformOptions(request.options)
        #expect(options.map(\.platform) == request.platforms)
        #expect(options.allSatisfy { $0.isPlatformExplicit && $0.labelsNamePlatforms })
    }

    @Test(arguments: ["linux/nonsense", "plan10/amd64", "linux/unknown"])
    func aPlatformThatNobodyHasIsRefused(_ name: String) throws {
        let error = try #require(throws: RequestsError.self) { try self.request([name]) }
        #expect(error.message == "there is no platform \(name)")
    }

    @Test(arguments: [("1", true), ("true", true), ("0", false), ("False", false), ("", false)])
    func theBuildArgumentAsksForAnIndexOfOne(_ value: String, _ answer: Bool) throws {
        #expect(try request(["linux/arm64"], value).makesIndex == answer)
    }

    @Test(
        arguments: [
            (["linux/arm64", "linux/amd64"], "false", nil, "returning multiple target platforms is not allowed"),
            (["linux/arm64"], "x", nil, "'x' is not a value for the build argument BUILDKIT_MULTI_PLATFORM"),
            (
                ["linux/arm64", "linux/amd64"], nil, .dockerArchive("x.tar", ImageSettings()),
                "docker exporter does not currently support exporting manifest lists"
            ),
            (["linux/arm64"], "1", .dockerArchive("x.tar", ImageSettings()), "exporting manifest lists"),
        ] as [([String], String?, BuildOutput?, String)])
    func contradictionsAreRefused(
        _ platforms: [String], _ argument: String?, _ output: BuildOutput?, _ message: String
    ) throws {
        let request = try request(platforms, argument, output.map { [$0] } ?? [])
        let error = try #require(throws: RequestsError.self) { try request.checkPlatforms() }
        #expect(error.message.contains(message))
    }
}
