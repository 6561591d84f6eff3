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
        name: .customLong("image-name-with-digest-file"), parsing: .unconditional,
        help: ArgumentHelp("Write each name of the image as NAME@DIGEST to a file, one a line.", valueName: "file"))
    var nameDigestFile: String?

    @Option(
        name: .customLong("image-name-tag-with-digest-file"), parsing: .unconditional,
        help: ArgumentHelp("Write each name of the image as NAME:TAG@DIGEST to a file, one a line.", valueName: "file"))
    var taggedNameDigestFile: String?

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
        for (option, path) in digestFiles {
            guard path != nil, !request.writesManifest else { continue }
            throw CommandError(
                .badOutput, "\(option) needs an image that is pushed or written to a file",
                hint: "Add --push, or an output of the type oci or docker.")
        }
        for (option, path) in digestFiles.dropFirst() where path != nil && request.tags.isEmpty {
            throw CommandError(.badOutput, "\(option) needs a name of the image", hint: "Name the image with -t.")
        }
    }

    private var digestFiles: [(option: String, path: String?)] {
        [
            ("--digest-file", digestFile), ("--image-name-with-digest-file", nameDigestFile),
            ("--image-name-tag-with-digest-file", taggedNameDigestFile),
        ]
    }

    /// Removes what a former build has left: a build that fails leaves no ID and no digest.
    func prepare() throws {
        for path in [imageIDFile, rawImageIDFile] + digestFiles.map(\.path) {
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
            (nameDigestFile, build.names(of: result, withTags: false)),
            (taggedNameDigestFile, build.names(of: result, withTags: true)),
        ]
        for case (let path?, let text?) in files { try await Build.write(text, to: FilePath(path)) }
        if let metadataFile {
            let json = build.metadata(of: result)
            try await Build.write(json.text(.pretty(2)) + "\n", to: FilePath(metadataFile))
        }
    }
}
