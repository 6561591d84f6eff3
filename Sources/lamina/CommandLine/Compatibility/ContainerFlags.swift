/// The flags of `docker run` and `podman run` that `lamina run` and `lamina create` do not have as options, sorted by name.
///
/// Sources: `docker run --help`, `podman-run(1)`. A test compares the table with `--help` of the tools that are
/// installed.
enum ContainerFlags {
    static let all: [BuilderFlag] =
        (sandbox + namespaces + networks + limits + lives + files + podman).sorted { $0.name < $1.name }

    static let byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

    private static let both: [BuilderFlag.Tool] = [.docker, .podman]

    private static func flags(
        _ names: String, _ tools: [BuilderFlag.Tool], _ verdict: BuilderFlag.Verdict
    ) -> [BuilderFlag] { BuilderFlags.flags(names, tools, verdict) }

    private static let noRuntime = "commands are run without an OCI runtime; leave it out"
    private static let noIdentities =
        "the user namespace is chosen with --isolation; its ids are those of /etc/subuid and /etc/subgid"
    private static let noNetworks = "there are no networks with names; publish ports of this machine with -p"
    private static let noLimit = "memory, processors and processes are limited: see --memory, --cpus and --pids-limit"
}

extension ContainerFlags {
    private static let sandbox: [BuilderFlag] =
        flags("annotation=", both, .refused("no OCI runtime is there to read it; use --label"))
        + flags(
            "runtime=", [.docker],
            .acceptedAs(["runc", "crun"], because: "a command has the same walls", otherwise: noRuntime))
        + flags(
            "gpus=", [.docker], .refused("give the nodes of the processor with --device, such as /dev/dri/renderD128"))
        + flags("group-add=", both, .refused("give the group with --user USER:GROUP"))
        + flags("sysctl=", both, .refused("settings of the kernel stay as they are on this machine"))
        + flags("device-cgroup-rule=", both, .refused("name the node with --device"))
        + flags(
            "disable-content-trust", both,
            .acceptedAs(
                ["true"], because: "no signatures are looked at",
                otherwise: "signatures are not verified; name images by digest"))
        + flags("use-api-socket", [.docker], .refused("there is no daemon"))

    private static let namespaces: [BuilderFlag] =
        flags(
            "pid=", both,
            .acceptedAs(
                ["private", ""], because: "a command has a namespace of its own",
                otherwise: "a command has a namespace of its own; lamina exec runs another one beside it"))
        + flags(
            "ipc=", both,
            .acceptedAs(
                ["private", "shareable", ""], because: "a command has a namespace of its own",
                otherwise: "a command has a namespace of its own; give it more shared memory with --shm-size"))
        + flags(
            "uts= cgroupns=", both,
            .acceptedAs(
                ["private", ""], because: "a command has a namespace of its own",
                otherwise: "a command has a namespace of its own; its name is that of --hostname"))
        + flags("userns=", both, .refused(noIdentities))
        + flags("uidmap= gidmap= subuidname= subgidname= hostuser=", [.podman], .refused(noIdentities))

    private static let networks: [BuilderFlag] =
        flags("expose=", both, .accepted(because: "it opens no port with Docker either; -p publishes one"))
        + flags("publish-all", both, .refused("name each port with -p"))
        + flags("ip= ip6= mac-address= network-alias=", both, .refused(noNetworks))
        + flags("link= link-local-ip=", [.docker], .refused(noNetworks))
        + flags("domainname=", [.docker], .refused("give the whole name with --hostname"))

    private static let limits: [BuilderFlag] =
        flags(
            """
            blkio-weight= blkio-weight-device= device-read-bps= device-read-iops= device-write-bps= device-write-iops= \
            memory-reservation= memory-swappiness= oom-kill-disable oom-score-adj=
            """, both, .refused(noLimit))
        + flags("cpu-rt-period= cpu-rt-runtime=", both, .refused(noLimit))
        + flags("kernel-memory=", [.docker], .refused(noLimit))
        + flags("storage-opt=", [.docker], .refused("the files of a container are limited by the disk alone"))
        + flags(
            "cpu-count= cpu-percent= io-maxbandwidth= io-maxiops=", [.docker],
            .refused("it is for Windows; images here are for Linux"))

    private static let lives: [BuilderFlag] =
        flags(
            "attach=", both,
            .refused("a command in the foreground has all three streams; redirect what you do not want"))
        + flags(
            "detach-keys=", both,
            .refused(
                "a command in the foreground ends with lamina run; start it with -d, and see it with lamina logs -f"))
        + flags(
            "sig-proxy", both,
            .acceptedAs(
                ["true"], because: "signals are passed on",
                otherwise: "signals are passed on; start the command with -d to keep them from it"))
        + flags(
            "health-cmd= health-interval= health-retries= health-start-period= health-timeout=", both,
            .refused("no health checks are run; ask with lamina exec whether the command is well"))
        + flags(
            "health-start-interval=", [.docker],
            .refused("no health checks are run; ask with lamina exec whether the command is well"))
        + flags(
            "log-driver=", both,
            .acceptedAs(
                ["json-file", "local", "k8s-file"], because: "lamina logs shows what was written",
                otherwise: "what a command writes is kept with its container; see lamina logs"))
        + flags("log-opt=", both, .refused("the log of a container is kept whole until the container is removed"))

    private static let files: [BuilderFlag] =
        flags("label-file=", both, .refused("give each label with --label"))
        + flags("volumes-from=", both, .refused("give containers the same volume by its name, with -v NAME:PATH"))
        + flags(
            "volume-driver=", [.docker],
            .acceptedAs(["local"], because: "volumes are in the store", otherwise: "volumes are in the store"))

    /// Flags of Podman alone.
    private static let podman: [BuilderFlag] =
        flags("arch= os= variant=", [.podman], .refused("use --platform, as in --platform linux/arm64"))
        + flags(
            "replace rmi", [.podman],
            .refused("remove the other container with lamina rm -f, and an image with lamina rmi"))
        + flags("rootfs", [.podman], .refused("make an image of the directory with lamina import"))
        + flags("timeout=", [.podman], .refused("use timeout(1): timeout 10 lamina run …"))
        + flags("tz=", [.podman], .refused("use -e TZ=ZONE"))
        + flags("env-host", [.podman], .refused("name each variable with -e"))
        + flags("env-merge= unsetenv= unsetenv-all", [.podman], .refused("set each variable with -e"))
        + flags(
            "http-proxy", [.podman],
            .acceptedAs(
                ["false"], because: "variables are set by -e alone",
                otherwise: "set the variables with -e, as in -e HTTP_PROXY"))
        + flags("secret=", [.podman], .refused("mount the file with -v FILE:/run/secrets/NAME:ro"))
        + flags("health-on-failure=", [.podman], .refused("no health checks are run"))
        + flags("pod= pod-id-file= requires=", [.podman], .refused("there are no pods"))
        + flags("image-volume=", [.podman], .refused("volumes of images are made as Docker makes them"))
        + flags("init-path=", [.podman], .refused("process 1 is a small init that lamina brings along"))
        + flags(
            "passwd passwd-entry= no-hosts", [.podman],
            .refused("/etc/passwd is the image's, and /etc/hosts is made for each command"))
        + flags("umask=", [.podman], .refused("set it in the command, as in sh -c 'umask 077; …'"))
        + flags("read-only-tmpfs", [.podman], .refused("name the directories with --tmpfs"))
        + flags(
            """
            cgroup-conf= cgroups= chrootdirs= conmon-pidfile= personality= pidfile= preserve-fds= sdnotify= \
            seccomp-policy= systemd=
            """, [.podman], .refused(noRuntime))
}
