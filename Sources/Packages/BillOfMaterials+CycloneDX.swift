import Inspector
package import OCI

extension BillOfMaterials {
    /// The list as a document of CycloneDX 1.6.
    ///
    /// Source: https://cyclonedx.org/docs/1.6/json.
    package var cycloneDX: JSON {
        let root = "image-\(image.hex.prefix(16))"
        var components: [JSON] = []
        if let distribution {
            components.append(
                .object(
                    ("bom-ref", .string("os-\(distribution.label)")), ("type", .string("operating-system")),
                    ("name", .string(distribution.id)),
                    ("version", distribution.version.isEmpty ? nil : .string(distribution.version)),
                    ("description", .string(distribution.name))))
        }
        components += items.map(component)
        return .object(
            ("$schema", .string("http://cyclonedx.org/schema/bom-1.6.schema.json")),
            ("bomFormat", .string("CycloneDX")), ("specVersion", .string("1.6")),
            ("serialNumber", .string("urn:uuid:\(serialNumber)")), ("version", .integer(1)),
            (
                "metadata",
                .object(
                    ("timestamp", .string(Timestamp(seconds: created.seconds).description)),
                    (
                        "tools",
                        .object(
                            (
                                "components",
                                .array([
                                    .object(
                                        ("type", .string("application")), ("name", .string(tool.name)),
                                        ("version", .string(tool.version)))
                                ])
                            ))
                    ),
                    (
                        "component",
                        .object(
                            ("bom-ref", .string(root)), ("type", .string("container")), ("name", .string(name)),
                            ("version", .string(image.description)))
                    ))
            ), ("components", .array(components)),
            (
                "dependencies",
                .array([
                    .object(
                        ("ref", .string(root)),
                        ("dependsOn", .array(components.compactMap { $0["bom-ref"] })))
                ])
            ))
    }

    private func component(_ item: Item) -> JSON {
        let software = item.software
        var properties = [("lamina:package:manager", software.manager.rawValue), ("lamina:package:path", item.path)]
        if let layer = item.layer { properties.append(("lamina:layer:diffID", layer.description)) }
        if let origin = item.origin { properties.append(("lamina:dockerfile:line", origin.lineText)) }
        if let source = software.source {
            properties.append(("lamina:source:name", source.name))
            if let version = source.version { properties.append(("lamina:source:version", version)) }
        }
        let license = software.license.map { text in
            JSON.array([.object(("license", .object(("name", .string(text)))))])
        }
        return .object(
            ("bom-ref", .string(identifier(of: item))), ("type", .string("library")),
            ("name", .string(software.name)), ("version", .string(software.version)), ("licenses", license),
            ("purl", .string(url(of: software))),
            (
                "properties",
                .array(
                    properties.map { name, value in
                        .object(("name", .string(name)), ("value", .string(value)))
                    })
            ))
    }

    /// A UUID of version 8 that is made from the image and the time.
    private var serialNumber: String {
        let digest = Digest(of: Array("\(image) \(created.seconds)".utf8)).hex
        var digits = Array(digest.prefix(32))
        digits[12] = "8"
        digits[16] = "a"
        let text = String(digits)
        var parts: [Substring] = []
        var rest = text[...]
        for count in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return parts.joined(separator: "-")
    }
}
