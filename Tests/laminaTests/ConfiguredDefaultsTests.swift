import Configuration
import Testing

@testable import lamina

/// The defaults that configuration files give to options.
@Suite struct ConfiguredDefaultsTests {
    private static func setting(_ key: String, _ command: String?, _ option: String, _ value: Setting.Value) -> Setting
    {
        Setting(key: key, command: command, option: option, value: value, file: "/f.toml", line: 1)
    }

    private static let settings = [
        setting("root", nil, "root", .text(["/srv"])), setting("isolation", nil, "isolation", .text(["chroot"])),
        setting("registries.mirrors", nil, "registry-mirror", .text(["m.test", "q=n"])),
        setting("build.progress", "build", "progress", .text(["plain"])),
        setting("build.no-cache", "build", "no-cache", .flag(true)),
        setting("build.inherit-labels", "build", "inherit-labels", .flag(false)),
        setting("build.pull", "build", "pull", .flag(true)),
        setting("build.explain", "build", "explain", .text(["json"])),
        setting("build.label", "build", "label", .text(["a=1", ""])),
        setting("run.network", "run", "network", .text(["none"])),
    ]

    private static func words(_ line: String, _ environment: [String: String] = [:]) throws -> String {
        let defaults = ConfiguredDefaults(Configuration(settings: settings), environment: environment)
        return try CommandLineNormalizer.normalized(line.split(separator: " ").map(String.init)) {
            defaults.words(for: $0, $1, mentioned: $2)
        }.joined(separator: " ")
    }

    private static let mirrors = "--registry-mirror=m.test --registry-mirror=q=n"
    private static let rest = "--pull=always --explain-format=json --label=a=1 --label "

    @Test(arguments: [
        (
            "build .",
            "build --root=/srv --isolation=chroot \(mirrors) --progress=plain --no-cache --no-inherit-labels \(rest) ."
        ),
        ("run x --root y", "run --root=/srv --isolation=chroot \(mirrors) --network=none x --root y"),
        ("images", "images --root=/srv"), ("pull x", "pull --root=/srv \(mirrors) x"),
        // What is given goes before them, also what is switched off.
        (
            "build --root=/r --progress tty --label b=2 --no-cache=false --inherit-labels --pull=never --explain=false "
                + "--registry-mirror o.test .",
            "build --isolation=chroot --root=/r --progress=tty --label=b=2 --inherit-labels --pull=never "
                + "--registry-mirror=o.test ."
        ),
        (
            "build -q --no-cache-filter a .",
            "build --root=/srv --isolation=chroot \(mirrors) --no-inherit-labels \(rest) --quiet --no-cache-filter=a ."
        ),
        // What shows settings and help has none.
        ("config show", "config show"), ("build --help", "build --help"), ("version", "version --root=/srv"),
    ])
    func theyStandBeforeTheWordsThatAreGiven(_ line: String, _ expected: String) throws {
        #expect(try Self.words(line) == expected)
    }

    @Test func variablesGoBeforeThem() throws {
        let environment = ["LAMINA_ROOT": "/e", "BUILDAH_ISOLATION": "rootless", "BUILDKIT_PROGRESS": "tty"]
        #expect(
            try Self.words("build .", environment)
                == "build \(Self.mirrors) --no-cache --no-inherit-labels \(Self.rest) .")
        #expect(try Self.words("images", ["LAMINA_ROOT": ""]) == "images --root=/srv")
    }

    @Test func eachValueSaysWhereItComesFrom() {
        let defaults = ConfiguredDefaults(
            Configuration(settings: Self.settings), environment: ["LAMINA_ISOLATION": "rootless"])
        let values = SettingValue.all(defaults, root: nil, standardRoot: "/var/lib/lamina")
        func origin(_ key: String) -> SettingValue.Origin? { values.first { $0.key == key }?.origin }
        #expect(origin("root") == .file("/f.toml", line: 1))
        #expect(origin("isolation") == .variable("LAMINA_ISOLATION"))
        #expect(origin("gc") == .standard)
        #expect(values.first { $0.key == "build.pull" }?.text == "true")
        #expect(values.first { $0.key == "registries.mirrors" }?.text == "m.test, q=n")
        let given = SettingValue.all(defaults, root: "/r", standardRoot: "/var/lib/lamina").first
        #expect(given == SettingValue(key: "root", values: ["/r"], origin: .option("--root")))
    }

    /// A setting for all commands is an option of the parser.
    @Test func settingsAreOptions() throws {
        let build = try #require(CommandGrammar.of(["build"]))
        for general in ConfiguredDefaults.general { #expect(build[general.option]?.form == .value, "\(general.key)") }
        #expect(ConfiguredDefaults.schema.commands().contains("build"))
        #expect(ConfiguredDefaults.schema.form("build", "rm") == nil, "what changes nothing is no setting")
        #expect(ConfiguredDefaults.schema.form("build", "save-stages") == nil)
    }
}
