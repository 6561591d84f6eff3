import Diagnostics
package import OCI

extension BuildRequest {
    /// Looks whether the outputs can be written as they are asked for.
    ///
    /// `platforms` are those of the result; with more than one it has an index.
    /// - Throws: ``RequestsError`` `.badOutput` for a push without a name, or annotations that have no place.
    package func checkOutputs(platforms: [Platform], hasIndex: Bool) throws {
        for output in outputs {
            guard let settings = output.settings else {
                try checkAttestations(of: output)
                continue
            }
            guard settings.usesOCITypes || attestations.isEmpty else {
                throw RequestsError(
                    .badOutput, "cannot export attestations with \"oci-mediatypes=false\"",
                    hint: "Docker's format has none: leave the attestations out.")
            }
            if output.isPush { try checkNames(settings) }
            for annotation in settings.annotations {
                try Self.check(annotation, platforms: platforms, hasIndex: hasIndex)
            }
            guard settings.usesOCITypes || settings.annotations.isEmpty else {
                throw RequestsError(
                    .badOutput, "cannot export annotations with \"oci-mediatypes=false\"",
                    hint: "Docker's manifests have none: leave the annotations out.")
            }
            guard settings.usesOCITypes || !caches.exports.contains(where: { $0.target == .inline }) else {
                throw RequestsError(
                    .badOutput, "Docker's manifests have no place for an inline cache",
                    hint: "Use --cache-to type=registry, or leave Docker's format out.")
            }
        }
    }

    /// Files get no attestations, so an output of files is refused unless the attestations are for images alone.
    private func checkAttestations(of output: BuildOutput) throws {
        guard !attestations.isEmpty, !attestations.isForImagesOnly, output != .none else { return }
        throw RequestsError(
            .badOutput, "attestations are not written beside files yet",
            hint: "Add inline-only=true to have them in images alone.")
    }

    private func checkNames(_ settings: ImageSettings) throws {
        if settings.naming.isPushedByDigest, let tag = tags.first { throw ImageNaming.tagged(tag.familiar) }
        guard tags.isEmpty, settings.names.isEmpty else { return }
        throw RequestsError(.badOutput, "tag is needed when pushing to registry", hint: "Name the image with -t.")
    }

    private static func check(_ annotation: ImageAnnotation, platforms: [Platform], hasIndex: Bool) throws {
        guard hasIndex || !annotation.target.needsIndex else {
            throw RequestsError(
                .badOutput, "index annotations not supported for single platform export",
                hint: "Use manifest or manifest-descriptor for '\(annotation.key)'.")
        }
        guard let platform = annotation.platform, !platforms.contains(platform) else { return }
        throw RequestsError(
            .badOutput, "invalid annotation: no platform \(platform) found in source",
            hint: "The build is for \(platforms.map(\.description).joined(separator: ", ")).")
    }
}
