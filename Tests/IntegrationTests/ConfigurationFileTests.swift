import SystemPackage
import Testing

/// The user's configuration file, as the program reads it.
@Suite("Configuration")
struct ConfigurationFileTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with([
            "XDG_CONFIG_HOME": scratch.path.string, "LAMINA_ROOT": "",
        ])
    }

    private func configure(_ text: String) throws { try scratch.write(text, to: "lamina/config.toml") }

    @Test func settingsAreDefaultsOfOptions() throws {
        let store = scratch.path.appending("configured")
        try configure("root = '\(store)'\n[build]\nlabel = ['team=web']\nquiet = true\n")
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n").string
        // A path through the file: what was built is found in the store that it names.
        let image = try lamina.succeeding("build", context)
        #expect(image.trimmed.hasPrefix("sha256:") && image.errorText.isEmpty)
        let inspected = try lamina.with(["LAMINA_ROOT": store.string, "XDG_CONFIG_HOME": "/nonexistent"])
            .succeeding("inspect", "-f", "{{json .Config.Labels}}", image.trimmed)
        #expect(inspected.trimmed == "{\"team\":\"web\"}")
        // What is given takes the place of the default.
        let other = try lamina.succeeding("build", "--quiet=false", "--label", "x=1", "-t", "other", context)
        #expect(!other.errorText.isEmpty)
        #expect(
            try lamina.succeeding("inspect", "-f", "{{json .Config.Labels}}", "other").trimmed == "{\"x\":\"1\"}")
        #expect(
            try lamina.with(["LAMINA_ROOT": scratch.path.appending("empty").string])("inspect", "other").status == 1)
    }

    @Test func theShownValueSaysWhereItComesFrom() throws {
        try configure("isolation = 'chroot'\n[registries]\nmirrors = ['m.test']\n[build]\njobs = 2\n")
        let shown = try lamina.with(["XDG_CONFIG_HOME": scratch.path.string, "LAMINA_GC": "off"])
            .succeeding("config", "show").outputLines.map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        func row(_ key: String) -> String? { shown.first { $0.first == key[...] }?.dropFirst().joined(separator: " ") }
        let file = "\(scratch.path)/lamina/config.toml"
        #expect(row("isolation") == "chroot \(file):1")
        #expect(row("registries.mirrors") == "m.test \(file):3")
        #expect(row("build.jobs") == "2 \(file):5")
        #expect(row("gc") == "off environment LAMINA_GC")
        #expect(row("registries.retry") == "3 default")
        let document = try JSONValue(parsing: lamina.succeeding("config", "show", "--format", "json").outputText)
        let setting = document["settings"]?.array?.first { $0["key"] == .string("build.jobs") }
        #expect(setting?["from"] == .string("file") && setting?["name"] == .string(file))
    }

    @Test func aMistakeIsOneSentenceWithFileAndLine() throws {
        try configure("[build]\nprogres = 'plain'\n")
        let build = try lamina("build", scratch.path.string)
        #expect(build.status == 2)
        #expect(
            build.errorText
                == "lamina: '\(scratch.path)/lamina/config.toml', line 2: there is no setting 'progres' in [build]; "
                + "did you mean 'progress'?\n")
        #expect(try lamina("config", "show").status == 1)
        for words in [["--version"], ["build", "--help"], ["help"]] {
            #expect(try lamina.start(words).wait().status == 0, "\(words)")
        }
    }
}
