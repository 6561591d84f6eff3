import Images
import Linux
import Requests
import Solver
import SystemPackage

/// Writes the image as an OCI layout: one archive, or a directory.
struct OCIExporter: Exporter {
    let image: ImageExporter
    /// `-` is the standard output.
    let path: FilePath
    let isArchive: Bool

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        let output = try await image.record(&product, with: tools)
        let epoch = image.settings.epoch ?? product.epoch
        product.manifest = try await tools.progress.step("exporting to oci image format") { _ in
            let archive = try await tools.archive(of: output, as: image.names, epoch: epoch, isForDocker: false)
            return try await offload {
                let written =
                    isArchive
                    ? try OutputFile.write(to: path) { try archive.write(to: $0) }
                    : try archive.write(toDirectory: path)
                return written.first
            }
        }
    }
}
