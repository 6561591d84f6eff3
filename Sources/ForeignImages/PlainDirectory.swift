package import Inspector
import Layers
import Linux
import OCI
package import SystemPackage

/// A directory that is no image, such as a root file system, looked at as an image of one layer.
package enum PlainDirectory {
    /// Whether a directory holds an image: an OCI layout, or what skopeo's `dir:` has.
    package static func isImage(_ path: FilePath) throws -> Bool {
        let directory = try Directory(opening: path)
        return try ["index.json", "manifest.json"].contains { try directory.statusIfExists($0) != nil }
    }

    /// Reads all files once. Sockets are left out.
    package static func inspect(_ path: FilePath) throws -> InspectedImage {
        var writer = LayerWriter()
        try LayerDiffer().diff(try Directory(opening: path), into: &writer)
        let written = try writer.finish()
        var config = ImageConfig(platform: .host)
        config.diffIDs = [written.diffID]
        let layer = AnalyzedLayerInput(
            diffID: written.diffID, files: try PackedFileList(encoded: written.files.bytes),
            createdBy: "directory \(path)")
        return InspectedImage(config: config, layers: [layer], contents: DirectoryContents(path: path))
    }

    private struct DirectoryContents: LayerContents {
        let path: FilePath

        func directory(of layer: Int) throws -> FilePath? { path }

        func blob(of layer: Int) throws -> (any ByteStream)? { nil }
    }
}
