import Glibc
import SystemPackage
import Testing

/// Images between Lamina and containerd.
@Suite("containerd", .enabled(if: Machine.hasContainerd && Machine.hasRegistry, Machine.needsContainerd))
struct ContainerdTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
    }

    /// Runs `body` with a fresh containerd, whose client takes the arguments.
    private func withDaemon(_ body: (_ ctr: ([String]) throws -> Finished) throws -> Void) throws {
        let directory = scratch.path.appending("containerd")
        let settings = try scratch.write(
            """
            version = 2
            root = "\(directory)/root"
            state = "\(directory)/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
            address = "\(directory)/s"
            [ttrpc]
            address = "\(directory)/t"

            """, to: "containerd.toml")
        let daemon = try RunningProcess(["containerd", "-c", settings.string])
        defer {
            daemon.send(SIGTERM)
            _ = try? daemon.wait(limit: .seconds(30))
        }
        let client = ["ctr", "-a", "\(directory)/s"]
        try wait(for: "the start of containerd") { try RunningProcess(client + ["version"]).wait().status == 0 }
        try body { try RunningProcess(client + $0).wait() }
    }

    @Test("ctr reads what is saved and pushed with the same digest, and what it exports has the same ID")
    func agreesOnIdentities() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            let id = try lamina.build(scratch.context("FROM lamina/base\nRUN echo travelled > /t\n"), "-t", name)
            let pushed = try lamina.succeeding("push", name)
            let digest = try lamina.succeeding("digest", name).trimmed
            #expect(pushed.outputLines.last?.contains("digest: \(digest) ") == true)
            let archive = scratch.path.appending("saved.tar").string
            try lamina.succeeding("save", "-o", archive, name)
            try withDaemon { ctr in
                func succeeding(_ arguments: String...) throws -> Finished {
                    let finished = try ctr(arguments)
                    #expect(finished.status == 0, "\(arguments): \(finished.errorText)")
                    return finished
                }
                let exported = scratch.path.appending("exported.tar").string
                for arguments in [
                    ["images", "import", "--no-unpack", archive], ["content", "fetch", "--plain-http", name],
                ] {
                    let finished = try ctr(arguments)
                    #expect(finished.status == 0, "\(arguments): \(finished.errorText)")
                    let listed = try succeeding("images", "ls").outputLines.first { $0.hasPrefix("\(name) ") }
                    #expect(listed?.contains(" \(digest) ") == true, "\(listed ?? "not there")")
                    _ = try succeeding("images", "export", exported, name)
                    _ = try succeeding("images", "rm", "--sync", name)
                }
                let other = Lamina(root: scratch.path.appending("other")).with(lamina.environment)
                try other.succeeding("load", "-i", exported)
                #expect(try other.succeeding("inspect", "--format", "{{.Id}}", name).trimmed == id)
            }
        }
    }
}
