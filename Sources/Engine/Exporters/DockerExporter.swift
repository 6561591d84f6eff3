import Diagnostics
import Images
import Linux
import Requests
import Solver
import SystemPackage

/// Writes the image as an archive that Docker of any age and readers of OCI layouts load.
struct DockerExporter: Exporter {
    let image: ImageExporter
    /// `-` is the standard output.
    let path: FilePath

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        guard product.draft?.isAttested != true else {
            throw EngineError(
                .unsupported, "docker exporter does not currently support exporting manifest lists",
                hint: "Use type=oci, or leave the attestations out.")
        }
        let output = try await image.record(&product, with: tools)
        let epoch = image.settings.epoch ?? product.epoch
        product.manifest = try await tools.progress.step("exporting to docker image format") { _ in
            let archive = try await tools.archive(of: output, as: image.names, epoch: epoch, isForDocker: true)
            return try await offload { try OutputFile.write(to: path) { try archive.write(to: $0) }.first }
        }
    }
}
