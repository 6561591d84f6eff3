import Contexts
import Images
import OCI
import Solver
import Store

/// Pushes the image under all its names.
struct RegistryExporter: Exporter {
    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        let image = try product.requireImage()
        for name in product.names {
            product.manifest = try await tools.progress.step("pushing \(name)") { step in
                let pushed = try await tools.images.push(image, as: name) { event in
                    if case .waiting(let notice) = event { step.notice(notice) }
                }
                step.status("pushing manifest for \(name)@\(pushed.digest)", isComplete: true)
                return Descriptor(
                    mediaType: pushed.mediaType, digest: pushed.digest, size: pushed.size, platform: image.platform)
            }
        }
    }
}
