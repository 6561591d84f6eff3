import SystemPackage
import Testing

/// A store that the version before wrote (schema 3), with the context that it was built from: `testdata/store-v3`.
@Suite("A store of the version before", .enabled(if: Machine.isRoot, Machine.needsRoot)) struct MigratedStoreTests {
    @Test("Every step of a build hits its cache, and the image is the same")
    func hitsItsCache() throws {
        let scratch = try Scratch()
        let archive = Lamina.packageRoot.appending("testdata/store-v3/built.tar.gz")
        try expectSuccess("tar", "-C", scratch.path.string, "-xzf", archive.string)
        let lamina = Lamina(root: scratch.path.appending("store"))
        let build = try lamina.succeeding(
            "build", "--progress", "plain", "-t", "app", scratch.path.appending("context").string)
        let cached = build.errorText.split(separator: "\n").count { $0.hasSuffix(" CACHED") }
        #expect(cached == 4, "\(build.errorText)")
        let id = try lamina.succeeding("inspect", "--format", "{{.Id}}", "app").trimmed
        #expect(id == "sha256:c4c6c8b2a553d7aa1bb84f868829005fc3ef038b6dc01a578280342f829913fd")
        #expect(try lamina("fsck").status == 0)
    }
}
