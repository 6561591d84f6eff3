import CLinux
import Diagnostics
import Glibc
import Linux
import Synchronization
import SystemPackage

/// An overlay as `fuse-overlayfs` makes one, for file systems that take none of the kernel's.
///
/// Its marks are files with the names that marks have in layers, in `upper` and, as it finds them, in `lowers`.
struct ServedOverlay: Hashable, Sendable {
    let program: FilePath
    /// Top first, at least one.
    let lowers: [FilePath]
    let upper: FilePath
    /// An empty directory next to `upper`, which takes what the program writes, too.
    let work: FilePath

    /// The file by which a directory hides those below it, as a new one does.
    static let opaqueMark: PathBytes = ".wh..wh..opq"

    /// Throws `SandboxError` `.setup` for paths that cannot be said to the program.
    func arguments(device: Int) throws -> [String] {
        guard let long = (lowers + [upper, work]).first(where: { $0.string.contains(":") }) else {
            func escaped(_ path: FilePath) -> String {
                path.string.reduce(into: "") { $0 += $1 == "," || $1 == "\\" ? "\\\($1)" : "\($1)" }
            }
            let options =
                "lowerdir=\(lowers.map(escaped).joined(separator: ":")),upperdir=\(escaped(upper)),"
                + "workdir=\(escaped(work)),volatile"
            return [program.string, "-f", "-o", options, "/dev/fd/\(device)"]
        }
        throw SandboxError(.setup, "fuse-overlayfs takes no path with a colon, such as '\(long)'")
    }
}

/// The program that serves an overlay, and the mount of it, which is attached nowhere: nobody sees it but the sandbox that
/// inherits it, and nothing is left of it when both are gone, however that comes.
final class OverlayServer: Sendable {
    private let mount: Mutex<SharedDescriptor?>
    private let program: HelperProcess
    /// The number of the mount's descriptor, while this is held and has not ended.
    let descriptor: CInt

    /// The number under which the program gets the device.
    private static let device = 3

    /// Starts the program, and returns when it answers.
    ///
    /// Throws `SandboxError` and `LinuxError`.
    init(_ overlay: ServedOverlay) throws {
        var device: CInt = -1
        let number = try check("mount", "a FUSE file system") { unsafe linux_new_fuse(&device) }
        let mount = SharedDescriptor(OwnedDescriptor(FileDescriptor(rawValue: number)))
        // Closed here once the program has it: so whoever uses the mount gets an error when the program has ended.
        let held = OwnedDescriptor(FileDescriptor(rawValue: device))
        program = try HelperProcess(
            overlay.arguments(device: Self.device),
            // Without the variable, marks are devices where such can be made.
            environment: ["FUSE_OVERLAYFS_DISABLE_OVL_WHITEOUT=1"], log: overlay.work.appending("server.log"),
            namespaces: [], after: [], inherited: (held.number, Self.device))
        _ = consume held
        descriptor = number
        self.mount = Mutex(mount)
        do { _ = try mount.descriptor.status() } catch {
            throw SandboxError(.setup, "fuse-overlayfs could not start: \(lastWords)", cause: error)
        }
    }

    /// Lets go of the mount, waits for the end of the program, and so until everything is in the upper directory.
    ///
    /// No sandbox may have it any more. Throws `SandboxError` `.setup` when the program did not end well: what it was to
    /// write may not be there then.
    func end() throws {
        mount.withLock { $0 = nil }
        guard let status = program.waitForEnd(seconds: 600) else {
            throw SandboxError(.setup, "fuse-overlayfs did not end with its command")
        }
        guard !status.isSuccess else { return }
        let words = lastWords
        guard !Self.isOfUnmounting(words) else { return }
        throw SandboxError(.setup, "fuse-overlayfs failed with status \(status.shellCode): \(words)")
    }

    /// Whether the program says that the mount went while it took a request.
    ///
    /// The kernel writes everything back before that, so all that can be lost is the notice that a file was closed. Source:
    /// Linux, fs/fuse/dev.c, `fuse_dev_do_read`.
    static func isOfUnmounting(_ words: String) -> Bool {
        words.hasSuffix("fuse: reading device: Software caused connection abort")
    }

    private var lastWords: String {
        program.lastWords { $0.contains("unknown argument ignored") } ?? "it did not say why"
    }
}

extension ServedOverlay {
    /// Why there can be none with its upper directory below `scratch`, in words; `nil` if there can. Found by trying.
    static func obstacle(program: FilePath, scratch: FilePath) -> String? {
        let name: PathBytes = "served-probe"
        do {
            let parent = try Directory(opening: scratch)
            try parent.makeDirectory(name, permissions: 0o700)
            defer { try? parent.removeTree(name) }
            let probe = try parent.directory(name)
            for part in ["lower", "upper", "work"] { try probe.makeDirectory(PathBytes(part), permissions: 0o700) }
            try probe.makeDirectory("lower/gone", permissions: 0o700)
            let path = scratch.appending(name.text)
            let server = try OverlayServer(
                ServedOverlay(
                    program: program, lowers: [path.appending("lower")], upper: path.appending("upper"),
                    work: path.appending("work")))
            try Directory(opening: FilePath("/proc/self/fd/\(server.descriptor)")).removeDirectory("gone")
            try server.end()
            return try probe.directory("upper").names() == [".wh.gone"] ? nil : "it writes other marks than expected"
        } catch let error as any AnyFailure {
            return error.message
        } catch {
            return "\(error)"
        }
    }
}
