import ArgumentParser
import Diagnostics
import Engine
import Linux
import OCI
import Requests
import SystemPackage

/// Files that say what came of a build.
struct ResultFileOptions: ParsableArguments {
    @Option(
        name: .customLong("iidfile"), parsing: .unconditional,
        help: ArgumentHelp("Write the image ID to a file.", valueName: "file"))
    var imageIDFile: String?

    @Option(
        name: .customLong("metadata-file"), parsing: .unconditional,
        help: ArgumentHelp("Write the digests and names of the result to a file, as JSON.", valueName: "file"))
    var metadataFile: String?

    /// An image ID is asked for in vain where no image is made.
    func check(_ request: BuildRequest) throws {
        guard imageIDFile != nil, !request.makesImage else { return }
        throw CommandError(
            .badOutput, "--iidfile needs an image, and the outputs of this build are none",
            hint: "Leave --iidfile out, or add an output that is an image.")
    }

    /// A build that fails leaves no ID of a former one.
    func prepare() throws {
        guard let path = imageIDFile.map({ FilePath($0) }), let name = path.lastComponent else { return }
        let parent = path.removingLastComponent()
        let directory = try Directory(opening: parent.isEmpty ? "." : parent)
        guard try directory.statusIfExists(PathBytes(name.string)) != nil else { return }
        try directory.unlink(PathBytes(name.string))
    }

    func write(_ result: BuildResult, of build: Build) async throws {
        if let imageIDFile, let id = result.imageID {
            try await Build.write(id.description, to: FilePath(imageIDFile))
        }
        if let metadataFile {
            let json = build.metadata(of: result)
            try await Build.write(json.text(.pretty(2)) + "\n", to: FilePath(metadataFile))
        }
    }
}
