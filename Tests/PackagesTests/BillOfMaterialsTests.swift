import OCI
import Packages
import Testing

struct BillOfMaterialsTests {
    private static let bill: BillOfMaterials = {
        let text = """
            Package: libc6
            Architecture: amd64
            Source: glibc (2.36-8)
            Version: 1:2.36-9+deb12u4
            Maintainer: A <a@b>

            Package: zlib1g
            Version: 1

            """
        let packages = PackageDatabase.packages(of: .dpkg, in: Array(text.utf8))
        let layer = DiffID(Digest(of: Array("layer".utf8)))
        return BillOfMaterials(
            name: "app:1", image: Digest(of: Array("image".utf8)),
            distribution: Distribution(osRelease: Array("ID=debian\nVERSION_ID=12\n".utf8)),
            items: packages.reversed().map { .init(software: $0, path: "/var/lib/dpkg/status", layer: layer) },
            created: Timestamp(seconds: 1_700_000_000, nanoseconds: 5), tool: ("lamina", "0.1.0"))
    }()

    @Test func `a package has a URL with what vulnerabilities are told by`() {
        #expect(
            Self.bill.url(of: Self.bill.items[0].software)
                == "pkg:deb/debian/libc6@1:2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc%402.36-8")
    }

    @Test(arguments: [
        (
            InstalledSoftware.Manager.rpm, "bash", "1:5.2-3.fc40",
            "pkg:rpm/debian/bash@5.2-3.fc40?distro=debian-12&epoch=1"
        ),
        (.npm, "@scope/name", "1.0.0", "pkg:npm/%40scope/name@1.0.0"), (.python, "six", "1.16", "pkg:pypi/six@1.16"),
        (.go, "github.com/o/r/v2", "v2.63.0", "pkg:golang/github.com/o/r/v2@v2.63.0"),
        (.cargo, "serde", "1", "pkg:cargo/serde@1"), (.maven, "g.a:b", "1", "pkg:maven/g.a/b@1"),
        (.gem, "rake", "13", "pkg:gem/rake@13"), (.composer, "a/b", "v1", "pkg:composer/a/b@v1"),
    ])
    func `packages of all kinds have URLs`(
        _ manager: InstalledSoftware.Manager, _ name: String, _ version: String, _ url: String
    ) {
        #expect(Self.bill.url(of: InstalledSoftware(manager: manager, name: name, version: version)) == url)
    }

    @Test func `SPDX has all keys that validators insist on`() throws {
        let json = Self.bill.spdx
        #expect(json["spdxVersion"]?.string == "SPDX-2.3")
        #expect(json["creationInfo"]?["created"]?.string == "2023-11-14T22:13:20Z")
        #expect(json["documentNamespace"]?.string?.contains("#") == false)
        let packages = try #require(json["packages"]?.array)
        let ids = packages.compactMap { $0["SPDXID"]?.string }
        #expect(ids.count == 3 && Set(ids).count == 3)
        #expect(
            ids.allSatisfy {
                $0.hasPrefix("SPDXRef-") && $0.allSatisfy { $0.isLetter || $0.isNumber || ".-".contains($0) }
            })
        for package in packages {
            #expect(package["name"]?.string?.isEmpty == false)
            #expect(package["downloadLocation"]?.string == "NOASSERTION")
            #expect(package["filesAnalyzed"]?.bool == false)
        }
        let known = Set(ids + ["SPDXRef-DOCUMENT"])
        for relationship in try #require(json["relationships"]?.array) {
            #expect(known.contains(relationship["spdxElementId"]?.string ?? ""))
            #expect(known.contains(relationship["relatedSpdxElement"]?.string ?? ""))
        }
    }

    @Test func `CycloneDX refers to nothing that is not there`() throws {
        let json = Self.bill.cycloneDX
        #expect(json["specVersion"]?.string == "1.6")
        let serial = try #require(json["serialNumber"]?.string)
        #expect(serial.hasPrefix("urn:uuid:") && serial.split(separator: "-").map(\.count) == [17, 4, 4, 4, 12])
        let components = try #require(json["components"]?.array).compactMap { $0["bom-ref"]?.string }
        #expect(components.count == 3 && Set(components).count == 3)
        let dependency = try #require(json["dependencies"]?.array?.first)
        #expect(dependency["ref"] == json["metadata"]?["component"]?["bom-ref"])
        #expect(dependency["dependsOn"]?.strings == components)
    }

    @Test func `equal lists are equal documents`() {
        #expect(Self.bill.spdx.text() == Self.bill.spdx.text())
        #expect(Self.bill.items.map(\.software.name) == ["libc6", "zlib1g"])
    }
}
