import Images
import Linux
import Solver
import SystemPackage

/// Writes the image as an archive that Docker of any age and readers of OCI layouts load.
struct DockerExporter: Exporter {
    /// `-` is the standard output.
    let path: FilePath

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        let current = product
        product.manifest = try await tools.progress.step("exporting to docker image format") { _ in
            let archive = try await tools.archive(of: current, isForDocker: true)
            return try await offload { try OutputFile.write(to: path) { try archive.write(to: $0) }.first }
        }
    }
}
