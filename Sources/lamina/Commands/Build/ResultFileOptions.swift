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
        name: .customLong("iidfile-raw"), parsing: .unconditional,
        help: ArgumentHelp("Write the image ID to a file, without sha256: before it.", valueName: "file"))
    var rawImageIDFile: String?

    @Option(
        name: .customLong("digest-file"), parsing: .unconditional,
        help: ArgumentHelp("Write the digest of what is pushed or written to an archive to a file.", valueName: "file"))
    var digestFile: String?

    @Option(
        name: .customLong("metadata-file"), parsing: .unconditional,
        help: ArgumentHelp("Write the digests and names of the result to a file, as JSON.", valueName: "file"))
    var metadataFile: String?

    /// Throws ``CommandError`` `.badOutput` for a file whose content this build will not know.
    func check(_ request: BuildRequest) throws {
        for (option, path) in [("--iidfile", imageIDFile), ("--iidfile-raw", rawImageIDFile)] {
            guard path != nil, !request.makesImage else { continue }
            throw CommandError(
                .badOutput, "\(option) needs an image, and the outputs of this build are none",
                hint: "Leave \(option) out, or add an output that is an image.")
        }
        guard digestFile == nil || request.writesManifest else {
            throw CommandError(
                .badOutput, "--digest-file needs an image that is pushed or written to a file",
                hint: "Add --push, or an output of the type oci or docker.")
        }
    }

    /// Removes what a former build has left: a build that fails leaves no ID and no digest.
    func prepare() throws {
        for path in [imageIDFile, rawImageIDFile, digestFile] {
            guard let path = path.map({ FilePath($0) }), let name = path.lastComponent else { continue }
            let parent = path.removingLastComponent()
            let directory = try Directory(opening: parent.isEmpty ? "." : parent)
            guard try directory.statusIfExists(PathBytes(name.string)) != nil else { continue }
            try directory.unlink(PathBytes(name.string))
        }
    }

    func write(_ result: BuildResult, of build: Build) async throws {
        let files: [(String?, String?)] = [
            (imageIDFile, result.imageID?.description), (rawImageIDFile, result.imageID?.hex),
            (digestFile, result.manifest?.digest.description),
        ]
        for case (let path?, let text?) in files { try await Build.write(text, to: FilePath(path)) }
        if let metadataFile {
            let json = build.metadata(of: result)
            try await Build.write(json.text(.pretty(2)) + "\n", to: FilePath(metadataFile))
        }
    }
}
