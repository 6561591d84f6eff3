import Glibc
import SystemPackage
import Testing

/// Builds inside containers that others made: equal images, on the mode that there is.
@Suite("Building in a container", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ContainerTests {
    /// A way to start a container, and what it lets a build do.
    struct Container: CustomTestStringConvertible, Sendable {
        let options: [String]
        /// The isolation mode that RUN uses there.
        let isolation: String

        init(_ options: String, _ isolation: String) {
            self.options = options.split(separator: " ").map(String.init)
            self.isolation = isolation
        }

        var testDescription: String { options.joined(separator: " ") }
    }

    private static let dockerfile = """
        FROM lamina/base
        RUN id -u >/who && echo lost >/dev/null && echo said >/dev/stderr && touch -d @1000000000 /who
        RUN --mount=type=cache,target=/cache --mount=target=/context \
            mkdir -p /a/b && cp /context/Dockerfile /a/b/f && chown -R 7:8 /a && chmod 4750 /a/b/f && \
            ln /a/b/f /a/g && ln -s g /a/h && rm /etc/group && touch -h -d @1000000000 /a/b/f /a/h /a/b /a /etc
        USER 33:44
        RUN id -u && test ! -w /

        """

    private struct Setting: Sendable {
        let scratch: Scratch
        let context: FilePath
        let expected: String
    }

    private static let setting = Result { () throws -> Setting in
        let scratch = try Scratch()
        let context = try scratch.context(dockerfile)
        try expectSuccess("chmod", "755", scratch.path.string)
        try expectSuccess("touch", "-d", "@1000000000", context.appending("Dockerfile").string)
        let lamina = Lamina(root: scratch.path.appending("store")).with(["SOURCE_DATE_EPOCH": "1000000000"])
        return Setting(scratch: scratch, context: context, expected: try lamina.build(context))
    }

    /// The script that runs in the container: prints the isolation mode, and builds.
    private static let command = [
        "sh", "-ec", "/src/lamina doctor | grep '^RUN'; exec /src/lamina build -q /context",
    ]

    private func expectEqual(_ finished: Finished, _ container: Container) throws {
        let expected = try Self.setting.get().expected
        #expect(finished.status == 0, "\(finished.errorText)")
        #expect(finished.outputLines.first?.hasPrefix("RUN would use: \(container.isolation) ") == true)
        #expect(finished.outputLines.last == expected, "\(finished.outputText) \(finished.errorText)")
    }

    // MARK: Docker

    private static let dockers = [
        Container("", "chroot"),
        // The kernel stacks no overlay on that of the container.
        Container("--security-opt seccomp=unconfined", "rootless"),
        Container("--security-opt seccomp=unconfined --tmpfs /store", "rootless"),
        Container("--cap-add SYS_ADMIN --security-opt seccomp=unconfined --tmpfs /store", "namespaces"),
    ]

    @Test(.enabled(if: Machine.hasDocker, Machine.needsDocker)) func worksInDocker() throws {
        let setting = try Self.setting.get()
        let scratch = try Scratch()
        try PrivateDocker.with(in: scratch) { docker in
            #expect(try docker.start(["load", "-i", Box.archive.get().string]).status == 0)
            for container in Self.dockers {
                let options = try ["run", "--rm"] + Box.options(context: setting.context) + container.options
                try expectEqual(try docker.start(options + [Box.name] + Self.command), container)
            }
        }
    }

    // MARK: Podman

    private static let podmans = [
        Container("", "rootless"), Container("--tmpfs /store", "rootless"),
        Container("--privileged --tmpfs /store", "namespaces"),
    ]

    @Test(.enabled(if: Machine.hasPodman, Machine.needsPodman), arguments: podmans)
    func worksInPodman(_ container: Container) throws {
        let context = try Self.setting.get().context
        try Podman.load(try Box.archive.get())
        try expectEqual(
            try Podman.run(Box.name, options: Box.options(context: context) + container.options, Self.command),
            container)
    }

    /// A user namespace in a user namespace.
    @Test(.enabled(if: Machine.hasPodman && Machine.hasPlainUsers, "needs root, podman, uidmap and setpriv"))
    func worksInRootlessPodman() throws {
        let context = try Self.setting.get().context
        var user = try PlainUser()
        user.preparation = Podman.preparation
        let podman = [
            "env", "XDG_RUNTIME_DIR=\(user.path)/home", "podman", "--root", "\(user.path)/home/r", "--runroot",
            "\(user.path)/home/rr", "--cgroup-manager", "cgroupfs",
        ]
        try user.succeeding(podman + ["load", "-q"], input: Box.archive.get())
        for container in Self.podmans {
            let options =
                try Podman.runOptions + ["--cgroups=disabled"] + Box.options(context: context, program: user.path)
            let command = podman + ["run", "--rm"] + options + container.options + [Box.name] + Self.command
            try expectEqual(try user.start(command).wait(), container)
        }
    }
}
