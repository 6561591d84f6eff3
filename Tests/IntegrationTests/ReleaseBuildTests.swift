import SystemPackage
import Testing

/// Properties of the program that `scripts/demo` and `scripts/test` build.
@Suite("The release build", .enabled(if: Lamina.isRelease, "the program under test is not the release build"))
struct ReleaseBuildTests {
    /// The whole of Foundation alone, which nothing may import, has 37 MB of tables for ICU.
    @Test func isStrippedAndSmallerThan40Megabytes() throws {
        let program = try #require(Lamina.binary)
        let size = try #require(Int(try expectSuccess("stat", "-L", "-c", "%s", program.string).trimmed))
        #expect(size < 40_000_000, "\(size) bytes; build it as scripts/demo does, with -Xlinker -s")
    }
}
