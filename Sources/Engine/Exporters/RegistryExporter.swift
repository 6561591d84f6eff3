import Contexts
import Images
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
                let isTagged = !image.settings.naming.isPushedByDigest
                let pushed = try await tools.images.push(output.image, as: name, isTagged: isTagged) { event in
                    if case .waiting(let notice) = event { step.notice(notice) }
                }
                step.status("pushing manifest for \(name)@\(pushed.digest)", isComplete: true)
                return Descriptor(
                    mediaType: pushed.mediaType, digest: pushed.digest, size: pushed.size,
                    platform: output.image.platform, annotations: output.descriptorAnnotations)
            }
        }
    }
}
