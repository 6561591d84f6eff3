import Contexts
import Images
import Linux
import OCI
import Requests
import Solver
import Store
import Transports

/// Pushes the image under all its names.
struct RegistryExporter: Exporter {
    let image: ImageExporter

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        let output = try await image.record(&product, with: tools)
        for name in image.names {
            product.manifest = try await tools.progress.step("pushing \(name)") { step in
                let pushed = try await push(output, as: name, step: step, with: tools)
                try await output.pushReferrers(to: name, step, with: tools)
                step.status("pushing manifest for \(name)@\(pushed.digest)", isComplete: true)
                return Descriptor(
                    mediaType: pushed.mediaType, digest: pushed.digest, size: pushed.size,
                    platform: output.index == nil ? output.image.platform : nil,
                    annotations: output.index?.descriptorAnnotations ?? output.descriptorAnnotations)
            }
        }
    }

    private func push(
        _ output: OutputImage, as name: ImageReference, step: StepReporter, with tools: ExportTools
    ) async throws -> Descriptor {
        let isTagged = !image.settings.naming.isPushedByDigest
        let report: @Sendable (TransferEvent) -> Void = { event in
            if case .waiting(let notice) = event { step.notice(notice) }
        }
        guard output.index != nil, let digest = output.image.root?.digest,
            let root = try await offload({ [store = tools.images.store] in try store.images.root(digest) })
        else { return try await tools.images.push(output.image, as: name, isTagged: isTagged, report: report) }
        return try await tools.images.push(
            index: root, as: name, isTagged: isTagged, report: report)
    }
}
