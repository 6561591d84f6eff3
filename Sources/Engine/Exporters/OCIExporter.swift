import Images
import Linux
import Solver
import SystemPackage

/// Writes the image as an OCI layout: one archive, or a directory.
struct OCIExporter: Exporter {
    /// `-` is the standard output.
    let path: FilePath
    let isArchive: Bool

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        let current = product
        product.manifest = try await tools.progress.step("exporting to oci image format") { _ in
            let archive = try await tools.archive(of: current, isForDocker: false)
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
