import ArgumentParser
import Engine
import Requests

/// The options of `build` about caches that builds share.
struct CacheOptions: ParsableArguments {
    @Option(
        name: .customLong("cache-from"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Use the cache of other builds: NAME, or type=registry|local|s3,KEY=VALUE.", valueName: "spec"))
    var imports: [String] = []

    @Option(
        name: .customLong("cache-to"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Leave the cache for other builds: type=registry|local|inline|s3,KEY=VALUE,mode=min|max.",
            valueName: "spec"))
    var exports: [String] = []

    /// The caches that the options mean, and the inline cache that a build argument asks for.
    ///
    /// Throws as the parsers of the options do.
    func sharing(_ arguments: [(name: String, value: String?)]) throws -> CacheSharing {
        var sharing = CacheSharing()
        sharing.imports = try imports.map { try CacheImport.parse($0, environment: GlobalOptions.environment) }
        sharing.exports = try exports.map { try CacheExport.parse($0, environment: GlobalOptions.environment) }
        let inline = arguments.last { $0.name == "BUILDKIT_INLINE_CACHE" }?.value ?? ""
        if ["1", "true"].contains(inline), !sharing.exports.contains(where: { $0.target == .inline }) {
            sharing.exports.append(CacheExport(.inline))
        }
        return sharing
    }
}
