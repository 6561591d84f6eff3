import Linux
import Solver
import SystemPackage

/// Writes the files of the result into a directory, without their owners.
struct LocalExporter: Exporter {
    let path: FilePath
    /// Whether what the result does not have is removed from the directory.
    let deletesOthers: Bool

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        let (stack, epoch) = (product.stack, product.epoch)
        try await tools.progress.step("exporting to client directory") { _ in
            let tree = try await tools.files.tree(of: stack)
            try await offload {
                if deletesOthers { try FileExport.checkDeletion(in: path) }
                try FileExport(tree: tree, epoch: epoch).write(toDirectory: path, deletesOthers: deletesOthers)
            }
        }
    }
}
