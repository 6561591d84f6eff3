import Diagnostics
import Layers
import Linux
import OCI
import Store
import Trees

/// A tar archive of a build context, unpacked for as long as this lives.
final class UnpackedArchive: Sendable {
    let tree: LayerFileTree
    private let directory: TemporaryDirectory

    /// `nil` when the file is no archive: what begins with the header of a member is one, compressed or not.
    init?(_ file: FileNode, in tree: any FileTree, store: StoreRoot) throws {
        guard file.entry.kind == .regular, try Self.isArchive(tree.open(file)) else { return nil }
        directory = try store.temporaryDirectory()
        var applier = LayerApplier(.plain)
        // Owners are taken from the list of files, so the unpacked ones need none.
        applier.preservesOwners = false
        applier.readsMarks = false
        let summary = try applier.apply(
            DescriptorStream(try tree.open(file)), to: try Directory(opening: directory.path))
        self.tree = LayerFileTree(
            tree: try LayerTree().adding(summary.diffID, summary.fileList), directories: [directory.path])
    }

    private static func isArchive(_ file: consuming OwnedDescriptor) throws -> Bool {
        do {
            var reader = try LayerReader(DescriptorStream(file), readsMarks: false)
            return try reader.next() != nil
        } catch let error as LayerError {
            // An archive that cannot be unpacked safely is still one: unpacking it will say so.
            if error.code == .unsafePath || error.code == .unsupported { return true }
            return false
        }
    }
}
