import Inspector
package import OCI

extension BillOfMaterials {
    /// The type of a predicate that is such a document.
    package static let spdxPredicateType = "https://spdx.dev/Document"

    /// The list as a document of SPDX 2.3.
    ///
    /// Source: https://spdx.github.io/spdx-spec/v2.3. Two lists of the same image at one time are the same document.
    package var spdx: JSON {
        let root = "SPDXRef-DocumentRoot-Image"
        var packages = [rootPackage(root)]
        var relationships = [Self.relationship("SPDXRef-DOCUMENT", "DESCRIBES", root)]
        for item in items {
            let id = "SPDXRef-Package-\(identifier(of: item))"
            packages.append(package(item, id))
            relationships.append(Self.relationship(root, "CONTAINS", id))
        }
        return .object(
            ("spdxVersion", .string("SPDX-2.3")), ("dataLicense", .string("CC0-1.0")),
            ("SPDXID", .string("SPDXRef-DOCUMENT")), ("name", .string(name)),
            ("documentNamespace", .string("https://lamina.dev/spdx/\(image.hex)-\(created.seconds)")),
            (
                "creationInfo",
                .object(
                    ("created", .string(Timestamp(seconds: created.seconds).description)),
                    ("creators", .array([.string("Tool: \(tool.name)-\(tool.version)")])))
            ), ("packages", .array(packages)), ("relationships", .array(relationships)))
    }

    private func rootPackage(_ id: String) -> JSON {
        .object(
            ("name", .string(name)), ("SPDXID", .string(id)), ("versionInfo", .string(image.description)),
            ("downloadLocation", .string("NOASSERTION")), ("filesAnalyzed", .bool(false)),
            ("licenseConcluded", .string("NOASSERTION")), ("licenseDeclared", .string("NOASSERTION")),
            ("copyrightText", .string("NOASSERTION")), ("primaryPackagePurpose", .string("CONTAINER")))
    }

    private func package(_ item: Item, _ id: String) -> JSON {
        let software = item.software
        let layer = item.layer.map { ", layer \($0)" } ?? ""
        let line = item.origin.map { $0.isBase ? ", base image" : ", Dockerfile \($0.lineText)" } ?? ""
        let supplier =
            software.maintainer.map { "Person: \($0.filter { !$0.isNewline })" }
            ?? software.vendor.map { "Organization: \($0.filter { !$0.isNewline })" }
        return .object(
            ("name", .string(software.name)), ("SPDXID", .string(id)), ("versionInfo", .string(software.version)),
            ("supplier", .string(supplier ?? "NOASSERTION")), ("downloadLocation", .string("NOASSERTION")),
            ("filesAnalyzed", .bool(false)),
            ("sourceInfo", .string("acquired package info from \(item.path)\(layer)\(line)")),
            ("licenseConcluded", .string("NOASSERTION")), ("licenseDeclared", .string("NOASSERTION")),
            // What records say is seldom an expression of SPDX.
            ("licenseComments", software.license.map { .string($0) }), ("copyrightText", .string("NOASSERTION")),
            (
                "externalRefs",
                .array([
                    .object(
                        ("referenceCategory", .string("PACKAGE-MANAGER")), ("referenceType", .string("purl")),
                        ("referenceLocator", .string(url(of: software))))
                ])
            ))
    }

    private static func relationship(_ one: String, _ type: String, _ other: String) -> JSON {
        .object(
            ("spdxElementId", .string(one)), ("relationshipType", .string(type)),
            ("relatedSpdxElement", .string(other)))
    }
}
