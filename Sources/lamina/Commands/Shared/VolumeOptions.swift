import ArgumentParser
import Engine
import Requests

/// The mounts that the commands of `build` and `run` get besides the image.
struct VolumeOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Show commands a file or directory of this machine.", valueName: "host:path[:ro]"))
    var volume: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Mount something for all commands: type=bind|tmpfs, and for build cache|secret|ssh.", valueName: "spec"))
    var mount: [String] = []

    /// Throws `RequestsError` `.badVolume`, and what mounts of RUN throw.
    func settings() throws -> VolumeSettings { try VolumeSettings(volumes: volume, mounts: mount) }
}
