package import OCI

/// A statement about things that are named by their digests, as in-toto has it.
///
/// Source: https://github.com/in-toto/attestation, spec/v1/statement.md; BuildKit writes its keys in this order.
package struct Statement: Hashable, Sendable {
    /// A thing that the statement is about.
    package struct Subject: Hashable, Sendable {
        package let name: String
        package let digest: Digest

        package init(name: String, digest: Digest) {
            self.name = name
            self.digest = digest
        }
    }

    package let predicateType: String
    package let subjects: [Subject]
    package let predicate: JSON

    package init(predicateType: String, subjects: [Subject], predicate: JSON) {
        self.predicateType = predicateType
        self.subjects = subjects
        self.predicate = predicate
    }

    /// The subjects of a statement about an image: its names.
    package static func subjects(of image: Descriptor, names: [ImageReference], platform: Platform) -> [Subject] {
        // A verifier refuses a statement about nothing.
        let urls = names.map { PackageURL(image: $0, platform: platform).description }
        return (urls.isEmpty ? ["_"] : urls).map { Subject(name: $0, digest: image.digest) }
    }

    package var json: JSON {
        .object(
            ("_type", .string("https://in-toto.io/Statement/v1")), ("predicateType", .string(predicateType)),
            (
                "subject",
                .array(
                    subjects.map { subject in
                        .object(
                            ("name", .string(subject.name)),
                            ("digest", .object(("sha256", .string(subject.digest.hex)))))
                    })
            ),
            ("predicate", predicate))
    }
}
