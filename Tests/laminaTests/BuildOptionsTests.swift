import ArgumentParser
import Diagnostics
import Engine
import Frontend
import OCI
import Requests
import Testing

@testable import lamina

/// The option groups of `lamina build`.
@Suite struct BuildOptionsTests {
    private static func cacheUse(_ arguments: [String]) throws -> CacheUseOptions {
        try CacheUseOptions.parse(Array(CommandLineNormalizer.normalized(["build"] + arguments).dropFirst()))
    }

    @Test(
        "The value of --pull is parsed",
        arguments: [
            ([], PullPolicy.missing), (["--pull"], .always), (["--pull=always"], .always), (["--pull=never"], .never),
            (["--pull=newer"], .newer), (["--pull=true"], .always), (["--pull=false"], .missing),
            (["--pull=missing"], .missing), (["--pull=never", "--pull"], .always),
        ])
    func pull(_ arguments: [String], _ policy: PullPolicy) throws {
        #expect(try Self.cacheUse(arguments).freshness().pull == policy)
    }

    @Test(arguments: [
        ([], NoCache.none), (["--no-cache"], .all), (["--cache-ttl", "0"], .all),
        (["--no-cache-filter", "a,b", "--no-cache-filter=c"], .stages(["a", "b", "c"])),
        (["--cache-ttl", "1h"], .none),
    ])
    func noCache(_ arguments: [String], _ choice: NoCache) throws {
        #expect(try Self.cacheUse(arguments).noCacheChoice() == choice)
    }

    @Test("The lifetime of results is a duration")
    func lifetime() throws {
        #expect(try Self.cacheUse(["--cache-ttl=1h30m"]).freshness().cacheLifetime == 5400 * 1_000_000_000)
        #expect(try Self.cacheUse([]).freshness().cacheLifetime == nil)
    }

    @Test(
        "A malformed build option is refused",
        arguments: [
            ["--no-cache", "--no-cache-filter", "a"], ["--pull=sometimes"], ["--cache-ttl", "soon"],
            ["--cache-ttl=-1s"],
        ])
    func refused(_ arguments: [String]) throws {
        let options = try Self.cacheUse(arguments)
        #expect(throws: ValidationError.self) {
            _ = try options.freshness()
            _ = try options.noCacheChoice()
        }
    }

    @Test(
        "The value of --platform is parsed",
        arguments: [
            (["--platform", "linux/arm64"], "linux/arm64"),
            (["--platform=arm64", "--platform=linux/amd64,local"], "linux/arm64,linux/amd64,\(Platform.host)"),
            (["--platform", "local"], Platform.host.description),
        ])
    func platform(_ arguments: [String], _ platform: String) throws {
        #expect(try ArgumentOptions.parse(arguments).platforms().map(\.description).joined(separator: ",") == platform)
    }

    @Test func badPlatforms() throws {
        #expect(throws: PlatformError.self) { try ArgumentOptions.parse(["--platform=a@b"]).platforms() }
    }
}
