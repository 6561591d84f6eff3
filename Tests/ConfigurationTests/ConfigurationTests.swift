import Diagnostics
import Testing

@testable import Configuration

/// The files with settings.
@Suite struct ConfigurationTests {
    private static let schema = SettingsSchema(
        general: [
            .init("root", option: "root", isPath: true), .init("gc", option: "gc"),
            .init("registries.mirrors", option: "registry-mirror"), .init("registries.retry", option: "retry"),
        ],
        tables: ["keys": ["filter", "page-up"]],
        commands: { ["build", "run"] },
        form: { _, option in
            ["quiet": .flag, "progress": .value, "jobs": .value, "explain": .flagOrValue, "root": .value][option]
        },
        options: { _ in ["quiet", "progress", "jobs", "explain"] })

    private static func settings(_ text: String, in path: String = "f.toml") throws -> [Setting] {
        try ConfigurationFile.settings(of: Array(text.utf8), path: path, schema)
    }

    @Test func everySettingSaysItsFileAndLine() throws {
        let settings = try Self.settings(
            """
            # comment
            root = "/srv/lamina"

            [registries]
            mirrors = ["https://m.test", "q.test=https://n.test"]
            retry = 5
            [build]
            progress = 'plain'
            jobs = 2
            quiet = false
            explain = true
            [run]
            progress = "tty"
            [keys]
            filter = ["f", "/"]
            page-up = 3
            """)
        func setting(_ key: String, _ command: String?, _ option: String, _ value: Setting.Value, _ line: Int)
            -> Setting
        {
            Setting(key: key, command: command, option: option, value: value, file: "f.toml", line: line)
        }
        #expect(
            settings == [
                setting("root", nil, "root", .text(["/srv/lamina"]), 2),
                setting(
                    "registries.mirrors", nil, "registry-mirror", .text(["https://m.test", "q.test=https://n.test"]), 5),
                setting("registries.retry", nil, "retry", .text(["5"]), 6),
                setting("build.progress", "build", "progress", .text(["plain"]), 8),
                setting("build.jobs", "build", "jobs", .text(["2"]), 9),
                setting("build.quiet", "build", "quiet", .flag(false), 10),
                setting("build.explain", "build", "explain", .flag(true), 11),
                setting("run.progress", "run", "progress", .text(["tty"]), 13),
                setting("keys.filter", "keys", "filter", .text(["f", "/"]), 15),
                setting("keys.page-up", "keys", "page-up", .text(["3"]), 16),
            ])
    }

    @Test(arguments: [
        (
            "[keys]\nfilte = 'x'",
            "'f.toml', line 2: there is no setting 'filte' in [keys]; did you mean 'filter'?"
        ),
        (
            "[keys]\nfilter = true",
            "'f.toml', line 2: 'keys.filter' cannot be so: it takes text, a number, or an array of them"
        ),
        ("kyes = {filter = 1}", "'f.toml', line 1: there is no setting 'kyes'; did you mean 'keys'?"),
        ("x = 1", "'f.toml', line 1: there is no setting 'x'"),
        ("\nrot = '/x'", "'f.toml', line 2: there is no setting 'rot'; did you mean 'root'?"),
        (
            "[registries]\n\nmirror = []",
            "'f.toml', line 3: there is no setting 'mirror' in [registries]; did you mean 'mirrors'?"
        ),
        (
            "[build]\nproges = 'x'",
            "'f.toml', line 2: there is no setting 'proges' in [build]; did you mean 'progress'?"
        ),
        ("[biuld]\nprogress = 'x'", "'f.toml', line 1: there is no setting 'biuld'; did you mean 'build'?"),
        ("build = {x = 1}", "'f.toml', line 1: there is no setting 'x' in [build]"),
        ("build.x = 1", "'f.toml', line 1: there is no setting 'x' in [build]"),
        ("root = 'srv'", "'f.toml', line 1: 'root' cannot be so: 'srv' is no absolute path"),
        ("root = true", "'f.toml', line 1: 'root' cannot be so: it takes text, a number, or an array of them"),
        ("[build]\nquiet = 'yes'", "'f.toml', line 2: 'build.quiet' cannot be so: it takes true or false"),
        ("[build]\njobs = true", "'f.toml', line 2: 'build.jobs' cannot be so: it takes text, and not true or false"),
        (
            "[build]\njobs = {a = 1}",
            "'f.toml', line 2: 'build.jobs' cannot be so: it takes text, a number, or an array of them"
        ),
        ("\nroot = ", "'f.toml', line 2: '' is no string, integer or boolean"),
        ("[[build]]\nquiet = true", "'f.toml', line 1: there is no setting 'build'"),
    ])
    func whatCannotBeIsRefusedWithItsLine(_ text: String, _ message: String) {
        let error = #expect(throws: ConfigurationError.self) { try Self.settings(text) }
        #expect(error?.message == message)
    }

    @Test func theUsersFileGoesBeforeTheMachines() throws {
        let user = try Self.settings("gc = 'off'\n[build]\njobs = 1\n", in: "user")
        let machine = try Self.settings(
            "root = '/m'\ngc = 'on'\n[build]\njobs = 2\nroot = '/b'\nprogress = 'tty'\n[run]\nquiet = true\n",
            in: "machine")
        let configuration = Configuration(settings: user + machine)
        func found(_ command: String) -> [String] {
            configuration.settings(for: command).map { "\($0.key) \($0.value.description) \($0.file)" }
        }
        #expect(
            found("build") == [
                "gc off user", "build.jobs 1 user", "build.root /b machine", "build.progress tty machine",
            ])
        #expect(found("run") == ["gc off user", "root /m machine", "run.quiet true machine"])
        #expect(found("images") == ["gc off user", "root /m machine"])
    }

    @Test(arguments: [
        (["XDG_CONFIG_HOME": "/x", "HOME": "/h"], ["/x/lamina/config.toml", "/etc/lamina/config.toml"]),
        (["XDG_CONFIG_HOME": "", "HOME": "/h"], ["/h/.config/lamina/config.toml", "/etc/lamina/config.toml"]),
        ([:], ["/etc/lamina/config.toml"]),
    ])
    func filesAreWhereTheyBelong(_ environment: [String: String], _ files: [String]) {
        #expect(Configuration.files(environment: environment) == files)
    }

    @Test func aFileThatIsNotThereHasNoSettings() throws {
        #expect(try Configuration(files: ["/nonexistent/config.toml"], schema: Self.schema).settings.isEmpty)
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration(files: ["/proc"], schema: Self.schema)
        }
        #expect(error?.message == "'/proc' cannot be read")
    }
}
