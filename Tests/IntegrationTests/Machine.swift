import Glibc
import SystemPackage
import Testing

/// The programs of this machine that tests need; a test that lacks one is skipped and names it.
enum Machine {
    static let isRoot = geteuid() == 0

    static func has(_ program: String) -> Bool {
        (try? run("sh", "-c", "command -v \(program)"))?.status == 0
    }

    static let canMakeDebian = isRoot && (has("mmdebstrap") || DebianBase.isCached)
    static let hasSkopeo = has("skopeo")
    static let hasUmoci = has("umoci")
    static let hasBuildah = isRoot && has("buildah")
    static let hasPodman = isRoot && has("podman")
    static let hasPlainUsers = isRoot && has("newuidmap") && has("setpriv")
    static let hasDocker = isRoot && has("dockerd") && has("docker")
    static let hasContainerd = isRoot && has("containerd") && has("ctr")
    static let hasRegistry = has("docker-registry")
    static let emulatesProcessors = isRoot && has("qemu-aarch64-static") && kernel >= (6, 7)
    static let hasLoopDevices = unsafe access("/dev/loop-control", W_OK) == 0 && has("mkfs.ext4")

    /// Whether Landlock can keep signals and abstract sockets apart here, as it can from Linux 6.12 on.
    static let scopesLandlock = kernel >= (6, 12)

    private static let kernel: (Int, Int) = {
        let numbers = ((try? text(of: "/proc/sys/kernel/osrelease")) ?? "").split { !$0.isNumber }.compactMap {
            Int($0)
        }
        return numbers.count > 1 ? (numbers[0], numbers[1]) : (0, 0)
    }()

    /// The tests that need nobody but Lamina, and root for RUN.
    static let needsRoot: Comment = "needs root: RUN is tested with the namespaces of a root user"
    static let needsPlainUsers: Comment = "needs root, to be somebody else, uidmap and setpriv"
    static let needsDebian: Comment = "needs root and mmdebstrap, or a cached base"
    static let needsSkopeo: Comment = "needs skopeo"
    static let needsUmoci: Comment = "needs umoci"
    static let needsBuildah: Comment = "needs root and buildah"
    static let needsPodman: Comment = "needs root and podman"
    static let needsDocker: Comment = "needs root, dockerd and docker"
    static let needsContainerd: Comment = "needs root, containerd, ctr and docker-registry"
    static let needsEmulators: Comment = "needs root, Linux 6.7 and qemu-user-static"
    static let needsLoopDevices: Comment = "needs root, loop devices and mkfs.ext4"
    static let needsRegistry: Comment = "needs root and docker-registry"
}
