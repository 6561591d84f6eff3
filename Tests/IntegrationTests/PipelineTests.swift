import SystemPackage
import Testing

/// The commands on the pages of `docs/ci`, run in order with a registry that wants a login.
@Suite("Pipelines", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct PipelineTests {
    @Test(arguments: ["gitlab", "github-actions", "jenkins", "kubernetes", "scripts", "migrating"])
    func thePagesCommandsWork(_ page: String) throws {
        let commands = try Self.commands(of: page)
        #expect(!commands.isEmpty)
        let scratch = try Scratch()
        let binary = try #require(Lamina.binary)
        let context = try scratch.context(
            "FROM lamina/base\nARG VERSION\nLABEL revision=$VERSION\nRUN echo 1 > /one\n", named: "workspace")
        try DockerRegistry.with(login: true, in: scratch) { registry in
            // Pods have a login in a file, other jobs log in themselves.
            let login = """
                {"auths": {"\(registry.name)": {"username": "\(DockerRegistry.user)", "password": "\(
                    DockerRegistry.password)"}}}
                """
            let logsIn = commands.contains { $0.contains("lamina login") }
            let file = try scratch.write(logsIn ? "{}" : login, to: "config/config.json")
            let script = commands.map { $0.replacing("/workspace", with: context.string) }
            let job = try RunningProcess(
                ["bash", "-euxo", "pipefail", "-c", script.joined(separator: "\n")],
                environment: [
                    "PATH": "\(binary.removingLastComponent()):/usr/bin:/bin", "HOME": scratch.path.string,
                    "LAMINA_ROOT": scratch.path.appending("store").string,
                    "DOCKER_CONFIG": file.removingLastComponent().string, "CI_REGISTRY": registry.name,
                    "CI_REGISTRY_USER": DockerRegistry.user, "CI_REGISTRY_PASSWORD": DockerRegistry.password,
                    "CI_REGISTRY_IMAGE": "\(registry.name)/team/app", "CI_COMMIT_SHORT_SHA": "0a1b2c3",
                    "CI_PROJECT_DIR": context.string,
                ], in: context
            ).wait(limit: .seconds(120))
            #expect(job.status == 0, "\(page):\n\(job.errorText)")
        }
    }

    /// The lines of code blocks that call the program, without what YAML puts before them.
    private static func commands(of page: String) throws -> [String] {
        var commands: [String] = []
        var isCode = false
        for line in try text(of: Lamina.packageRoot.appending("docs/ci/\(page).md")).lines {
            if line.hasPrefix("```") { isCode.toggle() }
            var command = line.drop { $0 == " " }
            for prefix in ["- ", "run: "] where command.hasPrefix(prefix) {
                command = command.dropFirst(prefix.count)
            }
            guard isCode, command.hasPrefix("lamina ") || command.contains("| lamina ") else { continue }
            commands.append(String(command))
        }
        return commands
    }
}
