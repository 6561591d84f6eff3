import SystemPackage
import Testing

/// Commands that make device nodes, as debootstrap and builders of images do.
@Suite(
    "Device nodes made by commands",
    .enabled(if: Machine.isRoot && ControlGroups.areThere, "needs root and control groups"))
struct DeviceNodeTests {
    @Test("A node made in RUN can be used in it and in later ones, and devices of the machine cannot")
    func nodes() throws {
        let scratch = try Scratch()
        let context = try scratch.context(
            """
            FROM lamina/base
            RUN mkdir -p /jail/dev && mknod -m 666 /jail/dev/null c 1 3 && echo x > /jail/dev/null
            RUN mknod -m 666 /jail/dev/zero c 1 5 && test "$(head -c 3 /jail/dev/zero | wc -c)" = 3
            RUN mknod -m 666 /jail/dev/disk b 8 0 && mknod -m 666 /jail/dev/mem c 1 1
            RUN echo x > /jail/dev/null && ! head -c 1 /jail/dev/disk && ! head -c 1 /jail/dev/mem
            RUN --mount=type=tmpfs,target=/t mknod -m 666 /t/null c 1 3 && echo x > /t/null
            RUN --mount=type=cache,target=/c rm -f /c/null && mknod -m 666 /c/null c 1 3 && echo x > /c/null

            """)
        let lamina = Lamina(root: scratch.path.appending("store"))
        for limits in [[], ["--pids-limit", "500"]] {
            try lamina.succeeding(["build", "-q", "--no-cache", "-t", "x"] + limits + [context.string])
            let run = try lamina.succeeding(
                ["run"] + limits + [
                    "x", "sh", "-c", "echo x > /jail/dev/null && ! head -c 1 /jail/dev/disk && echo fine",
                ])
            #expect(run.outputText == "fine\n", "\(run.errorText)")
        }
    }
}
