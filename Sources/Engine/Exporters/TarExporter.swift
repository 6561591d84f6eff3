import Images
import Linux
import Solver
import SystemPackage

/// Writes the files of the result as one tar archive.
struct TarExporter: Exporter {
    /// `-` is the standard output.
    let path: FilePath

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        let (stack, epoch) = (product.stack, product.epoch)
        try await tools.progress.step("exporting to client tarball") { _ in
            let tree = try await tools.files.tree(of: stack)
            try await offload {
                try OutputFile.write(to: path) { try FileExport(tree: tree, epoch: epoch).writeTar(to: $0) }
            }
        }
    }
}
