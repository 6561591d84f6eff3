import Testing

@testable import lamina

/// The flags of other tools before the command.
@Suite struct LeadingFlagTests {
    private static func taken(_ words: String) throws -> LeadingFlags.Taken {
        try LeadingFlags.taken(from: words.split(separator: " ").map(String.init))
    }

    @Test(arguments: [
        ("--storage-driver=vfs bud -q .", "bud -q ."), ("--storage-driver vfs build .", "build ."),
        ("--log-level debug bud .", "bud ."), ("-l debug images", "images"), ("-lwarn images", "images"),
        ("--context default build .", "build ."), ("-c default ps", "ps"), ("--tls --tlsverify=false ps", "ps"),
        ("--root r --runroot x -D images", "--root r -D images"), ("buildx --builder x build .", "buildx build ."),
        ("-D buildx --builder=x --debug build .", "-D --debug buildx build ."),
        ("buildx build --builder x .", "buildx build --builder x ."),
        ("build --config=x .", "build --config=x ."), ("--help", "--help"), ("--nope ps", "--nope ps"),
        ("--runtime crun run x", "run x"), ("- x", "- x"), ("-- --tls", "-- --tls"), ("", ""),
    ])
    func flagsBeforeTheCommandAreTaken(_ words: String, _ expected: String) throws {
        #expect(try Self.taken(words).words == expected.split(separator: " ").map(String.init))
    }

    @Test(arguments: [
        ("--config /c login r", ["DOCKER_CONFIG": "/c"]), ("--config=/c -D login r", ["DOCKER_CONFIG": "/c"]),
        ("-H unix:///s ps", ["DOCKER_HOST": "unix:///s"]), ("--host=tcp://h ps", ["DOCKER_HOST": "tcp://h"]),
        ("-Htcp://h ps", ["DOCKER_HOST": "tcp://h"]),
        ("--registries-conf f bud .", ["CONTAINERS_REGISTRIES_CONF": "f"]), ("ps --config x", [:]),
    ])
    func someAreVariablesOfTheEnvironment(_ words: String, _ variables: [String: String]) throws {
        #expect(try Self.taken(words).variables == variables)
    }

    @Test(arguments: [
        ("--remote ps", "--remote is not there: there is no service; leave it out to work on this machine"),
        ("-c far ps", "--context=far is not there: there is no service; leave it out to work on this machine"),
        ("--config", "--config needs a value"), ("--tls=x ps", "invalid value 'x' for --tls: use true or false"),
    ])
    func whatIsNotThereHasASentence(_ words: String, _ message: String) {
        let error = #expect(throws: CommandLineError.self) { try Self.taken(words) }
        #expect(error?.message == message)
    }

    @Test(arguments: ["docker", "buildah", "podman"])
    func noneOfAnInstalledToolIsUnknown(_ tool: String) throws {
        guard let help = InstalledHelp(ofCommand: tool) else { return }
        let own: Set = ["help", "version", "debug", "root"]
        for (name, form) in help.flags where !own.contains(name) {
            let entry = try #require(LeadingFlags.all.first { $0.flag.name == name }, "\(tool) has --\(name)")
            #expect(entry.flag.form == form, "\(tool) --\(name)")
        }
    }
}
