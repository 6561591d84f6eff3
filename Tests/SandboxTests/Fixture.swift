import Diagnostics
import Glibc
import Linux
import Sandbox
import SystemPackage
import Testing

extension Tag {
    /// Needs root.
    @Tag static var root: Tag
}

/// Whether this machine lets the tests make sandboxes.
enum Host {
    static let canSandbox: Bool =
        geteuid() == 0 && CapabilitySet.effective.contains(.systemAdministration)
        && NamespaceSet([.mount, .process]).obstacle() == nil && status("/bin/busybox") != nil

    /// A time that outlasts every test, by which a `sleep` of a test is found among the processes of the machine.
    static func uniqueSeconds() -> Int { Int.random(in: 100_000_000..<1_000_000_000) }

    /// Whether a process of the machine is a `sleep` for so many seconds.
    static func isSleeping(_ seconds: Int) throws -> Bool {
        try Directory(opening: "/proc").names().contains { name in
            guard Int(name.text) != nil, let line = try? readText(FilePath("/proc/\(name.text)/cmdline")) else {
                return false
            }
            return line.contains("sleep\0\(seconds)\0")
        }
    }

    static func status(_ path: FilePath) -> FileStatus? {
        try? OwnedDescriptor.open(path).status()
    }
}

/// A temporary directory with a small root file system, removed with the object.
final class Fixture {
    let path: FilePath
    var lower: FilePath { path.appending("lower") }
    var upper: FilePath { path.appending("upper") }
    var scratch: FilePath { path.appending("scratch") }

    init() throws {
        var template = Array("/tmp/lamina-sandbox-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw LinuxError(.current, "create", "a directory") }
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        for name in ["lower", "upper", "work", "scratch", "lower/bin", "lower/etc", "lower/tmp"] {
            try makeDirectory(path.appending(name))
        }
        let busybox = try OwnedDescriptor.open("/bin/busybox").readAll(limit: 16 << 20)
        try write("lower/bin/busybox", busybox, permissions: 0o755)
        let bin = try Directory(opening: path.appending("lower/bin"))
        let applets =
            "sh true cat id sleep kill mkdir mv ln mkfifo setsid mount umount mknod hostname ls touch rm seq grep head wc readlink chmod"
        for name in applets.split(separator: " ") { try bin.makeSymlink(PathBytes(name), to: "busybox") }
        try write("lower/etc/passwd", Array("root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n".utf8))
    }

    deinit {
        guard let parent = try? Directory(opening: path.removingLastComponent()) else { return }
        if let name = path.lastComponent { try? parent.removeTree(PathBytes(name.string)) }
    }

    func makeDirectory(_ path: FilePath) throws {
        let parent = try Directory(opening: path.removingLastComponent())
        try parent.makeDirectory(PathBytes(path.lastComponent?.string ?? ""), permissions: 0o755)
    }

    func write(_ name: FilePath, _ content: [UInt8], permissions: UInt16 = 0o644) throws {
        let file = try OwnedDescriptor.open(
            path.pushing(name), .writeOnly, options: [.create, .truncate],
            permissions: FilePermissions(rawValue: CInterop.Mode(permissions)))
        try file.write(content.span)
    }

    func spec(_ arguments: String...) -> SandboxSpec {
        var spec = SandboxSpec(
            arguments: arguments, root: .overlay(lowers: [lower], upper: upper, work: path.appending("work")),
            scratch: scratch)
        spec.environment = ["PATH=/usr/bin:/bin"]
        return spec
    }

    func shell(_ script: String) -> SandboxSpec { spec("/bin/sh", "-c", script) }

    /// The names below a directory, with a slash after directories.
    func tree(_ directory: FilePath) throws -> [String] {
        let entries = try Directory(opening: directory)
        return try entries.names().flatMap { name in
            guard try entries.status(name).type == .directory else { return [name.text] }
            return [name.text + "/"] + (try tree(directory.appending(name.text)).map { name.text + "/" + $0 })
        }
    }
}

/// The outcome of a sandbox.
struct Outcome {
    var status = ExitStatus.exited(code: -1)
    var output: [UInt8] = []
    var errors: [UInt8] = []

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
}

/// Runs a sandbox to its end.
func run(_ spec: SandboxSpec) throws -> Outcome {
    let process = try SandboxProcess(try SandboxPlan(spec))
    var outcome = Outcome()
    try process.forwardOutput { stream, bytes in
        for index in bytes.indices {
            switch stream {
            case .standardOutput: outcome.output.append(bytes[index])
            case .standardError: outcome.errors.append(bytes[index])
            }
        }
    }
    outcome.status = try process.wait()
    return outcome
}
