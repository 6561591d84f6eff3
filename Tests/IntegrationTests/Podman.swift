import SystemPackage
import Testing

/// Podman with a storage of its own, as a second opinion on what Lamina makes.
enum Podman {
    /// Loads an archive and gives podman's own words about it.
    @discardableResult
    static func load(_ archive: FilePath) throws -> String {
        try podman(["load", "-i", archive.string]).outputText
    }

    /// Runs a container to its end.
    static func run(
        _ image: String, entrypoint: String? = nil, options: [String] = [], _ arguments: [String] = []
    ) throws -> Finished {
        let override = entrypoint.map { ["--entrypoint", $0] } ?? []
        return try start(["run", "--rm"] + runOptions + override + options + [image] + arguments)
    }

    /// Runs podman, which must succeed.
    @discardableResult
    static func podman(_ arguments: [String]) throws -> Finished {
        let finished = try start(arguments)
        guard finished.status == 0 else {
            throw CommandFailure(
                description: "podman \(arguments.joined(separator: " ")) ended with \(finished.status): "
                    + finished.errorText)
        }
        return finished
    }

    /// The limits are below any machine's own, because podman otherwise asks for more than a container may have.
    static let runOptions = [
        "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network=host",
    ]

    /// For a shell in a mount namespace: without cgroup2 beside cgroup1, crun starts containers on machines that have both.
    static let preparation =
        "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi"

    /// The mount namespace takes podman's own mounts along when it ends.
    private static func start(_ arguments: [String]) throws -> Finished {
        let storage = try Scratch.shared.get().appending("podman")
        let script = "\(preparation); exec podman \"$@\""
        let own = [
            "--root", storage.appending("root").string, "--runroot", storage.appending("run").string,
            "--cgroup-manager", "cgroupfs",
        ]
        return try RunningProcess(["unshare", "--mount", "sh", "-c", script, "podman"] + own + arguments).wait()
    }
}
