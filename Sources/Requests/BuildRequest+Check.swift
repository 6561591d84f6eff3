import Diagnostics
import LazyLayers
package import OCI

extension BuildRequest {
    /// Looks whether the outputs can be written as they are asked for.
    ///
    /// `platforms` are those of the result; with more than one it has an index.
    /// - Throws: ``RequestsError`` `.badOutput` for a push without a name, or annotations that have no place.
    package func checkOutputs(platforms: [Platform], hasIndex: Bool) throws {
        try checkPrefetch()
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
            guard settings.usesOCITypes || settings.layers.format == nil else {
                throw RequestsError(
                    .badOutput, "layers of the format \(settings.layers.format?.rawValue ?? "") need OCI's media types",
                    hint: "Leave oci-mediatypes=false and --format docker out.")
            }
            try checkReferrers(output)
            if output.isPush { try checkNames(settings) }
            for annotation in settings.annotations {
                try Self.check(annotation, platforms: platforms, hasIndex: hasIndex)
            }
            guard settings.usesOCITypes || settings.annotations.isEmpty else {
                throw RequestsError(
                    .badOutput, "cannot export annotations with \"oci-mediatypes=false\"",
                    hint: "Docker's manifests have none: leave the annotations out.")
            }
            guard squash == nil || !caches.exports.contains(where: { $0.target == .inline }) else {
                throw RequestsError(
                    .badOutput, "an inline cache names the layers of the image, which --squash puts together",
                    hint: "Use --cache-to type=registry, or leave --squash out.")
            }
            guard settings.usesOCITypes || !caches.exports.contains(where: { $0.target == .inline }) else {
                throw RequestsError(
                    .badOutput, "Docker's manifests have no place for an inline cache",
                    hint: "Use --cache-to type=registry, or leave Docker's format out.")
            }
        }
    }

    /// A list of files to prefetch is for layers in the format eStargz, and Docker's format has no place for either.
    private func checkPrefetch() throws {
        let forms = outputs.compactMap(\.settings)
        guard forms.contains(where: { !$0.layers.prefetch.isEmpty }),
            !forms.contains(where: { $0.layers.format == .estargz })
        else { return }
        throw RequestsError(
            .badOutput, "--estargz-prefetch is for layers in the format estargz, and no output has such",
            hint: "Add --compression-format estargz, or compression=estargz to an output.")
    }

    /// Files get no attestations, so an output of files is refused unless the attestations are for images alone.
    private func checkAttestations(of output: BuildOutput) throws {
        guard !attestations.isEmpty, !attestations.isForImagesOnly, output != .none else { return }
        throw RequestsError(
            .badOutput, "attestations are not written beside files yet",
            hint: "Add inline-only=true to have them in images alone.")
    }

    /// Registries and OCI layouts have a place for what refers to an image.
    private func checkReferrers(_ output: BuildOutput) throws {
        guard !attestations.isEmpty, attestations.attachment == .referrer else { return }
        switch output {
        case .push, .oci: return
        case .store, .dockerArchive, .directory, .tar, .none:
            throw RequestsError(
                .badOutput, "attestations that refer to the image are for registries and OCI layouts alone",
                hint: "Add --push or -o type=oci,dest=PATH, or use --attest-as index.")
        }
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
