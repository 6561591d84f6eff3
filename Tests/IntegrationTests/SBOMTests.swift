import SystemPackage
import Testing

/// The software in images that Lamina has built.
@Suite("SBOM", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct SBOMTests {
    private static let dockerfile = """
        FROM scratch
        COPY <<E /etc/os-release
        ID=debian
        VERSION_ID=12
        E
        COPY <<E /var/lib/dpkg/status
        Package: first
        Status: install ok installed
        Architecture: amd64
        Version: 1

        E
        COPY <<E /var/lib/dpkg/status
        Package: first
        Status: install ok installed
        Architecture: amd64
        Version: 1

        Package: second
        Status: install ok installed
        Architecture: all
        Version: 2-1

        E

        """

    @Test func namesPackagesWithTheirLayers() throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        try lamina.build(try scratch.context(Self.dockerfile), "-t", "app")
        let lines = try lamina.succeeding("sbom", "--format", "{{.Name}} {{.Version}} {{.Layer}} {{.URL}}", "app")
        #expect(
            lines.outputLines == [
                "first 1 2 pkg:deb/debian/first@1?arch=amd64&distro=debian-12",
                "second 2-1 3 pkg:deb/debian/second@2-1?arch=all&distro=debian-12",
            ])
        let table = try lamina.succeeding("sbom", "app").outputLines
        #expect(table[0].hasPrefix("NAME") && table.count == 3)
        let spdx = try JSONValue(parsing: lamina.succeeding("sbom", "--format", "spdx", "app").outputText)
        #expect(spdx["packages"]?.array?.count == 3)
        let cyclone = try JSONValue(parsing: lamina.succeeding("sbom", "--format", "cyclonedx", "app").outputText)
        #expect(cyclone["components"]?.array?.count == 3)
        #expect(try lamina("sbom", "nothing-like-it:1").status != 0)
    }

    @Test func isAttachedToTheImage() throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let layout = scratch.path.appending("layout")
        try lamina.build(
            try scratch.context(Self.dockerfile), "--sbom", "--provenance", "-t", "app", "-o",
            "type=oci,tar=false,dest=\(layout)")
        func blob(_ digest: String?) throws -> JSONValue {
            let hex = try #require(digest).dropFirst(7)
            return try JSONValue(parsing: text(of: layout.appending("blobs/sha256/\(hex)")))
        }
        let top = try JSONValue(parsing: text(of: layout.appending("index.json")))["manifests"]?.array?.first
        let entry = try blob(top?["digest"]?.string)["manifests"]?.array?.last
        let layers = try #require(try blob(entry?["digest"]?.string)["layers"]?.array)
        let types = layers.compactMap { $0["annotations"]?["in-toto.io/predicate-type"]?.string }
        #expect(types == ["https://spdx.dev/Document", "https://slsa.dev/provenance/v1"])
        let statement = try blob(layers[0]["digest"]?.string)
        #expect(statement["predicate"]?["packages"]?.array?.count == 3)
    }

    @Test func aBrokenDatabaseIsRefused() throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /var/lib/dpkg/status\n")
        try lamina.build(context, "-t", "broken")
        let finished = try lamina("sbom", "broken")
        #expect(finished.status == 1)
        #expect(finished.errorText.contains("'/var/lib/dpkg/status' is no database of dpkg"))
        let built = try lamina("build", "--sbom", context.string)
        #expect(built.status == 1)
        #expect(built.errorText.contains("is no database of dpkg"))
    }
}
