import Linux
import Solver
import SystemPackage

/// Writes the files of the result into a directory, without their owners.
struct LocalExporter: Exporter {
    let path: FilePath

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        let (stack, epoch) = (product.stack, product.epoch)
        try await tools.progress.step("exporting to client directory") { _ in
            let tree = try await tools.files.tree(of: stack)
            try await offload { try FileExport(tree: tree, epoch: epoch).write(toDirectory: path) }
        }
    }
}
