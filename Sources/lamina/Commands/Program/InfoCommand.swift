import ArgumentParser
import Containers
import Glibc
import GoCompat
import Linux
import OCI
import Requests
import Store
import SystemPackage

struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show the store and the machine in the words of 'docker info'.",
        discussion: "What builds can do here is said by 'lamina doctor'.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("json, or a template such as '{{.DockerRootDir}}'.", valueName: "format"))
    var format: String?

    func run() async throws {
        try await global.run {
            let facts = try facts()
            if let format { return say(try GoTemplate(format: format).render(.object(facts))) }
            for (key, value) in facts.members where key != "Schema" {
                switch value {
                case .string(let text), .number(let text): say("\(Self.titles[key] ?? key): \(text)")
                case .null, .bool, .array, .object: continue
                }
            }
        }
    }

    private static let titles = [
        "ServerVersion": "Server Version", "NCPU": "CPUs", "MemTotal": "Total Memory in bytes",
        "KernelVersion": "Kernel Version", "DockerRootDir": "Docker Root Dir", "Driver": "Storage Driver",
        "OperatingSystem": "Operating System", "CgroupVersion": "Cgroup Version",
    ]

    /// The facts under the keys of `docker info`.
    private func facts() throws -> JSONObject {
        let store = try global.store(.readOnly)
        let images = try store.images.list()
        let containers = try ContainerStore(store).list()
        var names = utsname()
        // It fails for a bad address only.
        _ = unsafe uname(&names)
        let (bytes, _) = sysconf(CInt(_SC_PHYS_PAGES)).multipliedReportingOverflow(by: sysconf(CInt(_SC_PAGESIZE)))
        return JSONObject([
            ("Schema", .integer(1)), ("Name", .string(Self.text(of: names.nodename))),
            ("ServerVersion", .string(Version.current)), ("Images", .integer(Set(images.map(\.id)).count)),
            ("Containers", .integer(containers.count)),
            ("ContainersRunning", .integer(containers.count(where: \.isRunning))),
            ("ContainersStopped", .integer(containers.count { !$0.isRunning })), ("OSType", .string(Platform.host.os)),
            ("Architecture", .string(Self.text(of: names.machine))), ("NCPU", .integer(Processors.online)),
            ("MemTotal", .integer(bytes)), ("KernelVersion", .string(Self.text(of: names.release))),
            ("DockerRootDir", .string(store.path.string)), ("Driver", .string("overlay")),
            ("OperatingSystem", .string(Self.operatingSystem)), ("CgroupVersion", .string(Self.controlGroupVersion)),
            ("SecurityOptions", .array([.string("name=seccomp,profile=default")])),
            ("Swarm", .object(("LocalNodeState", .string("inactive")))), ("ExperimentalBuild", .bool(false)),
        ])
    }

    /// The name of the system, as its `os-release` has it.
    private static var operatingSystem: String {
        let text = ["/etc/os-release", "/usr/lib/os-release"].lazy.compactMap { path in
            try? OwnedDescriptor.open(FilePath(path)).readAll(limit: 1 << 16)
        }.first.map { String(decoding: $0, as: UTF8.self) }
        let line = text?.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        return line.map { $0.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } } ?? "Linux"
    }

    /// The version of the control groups that this machine has at the usual place.
    private static var controlGroupVersion: String {
        (try? FileStatus(of: FilePath("/sys/fs/cgroup/cgroup.controllers"))) == nil ? "1" : "2"
    }

    /// A text in an array of C, up to its NUL.
    private static func text<Array>(of array: Array) -> String {
        unsafe withUnsafeBytes(of: array) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
