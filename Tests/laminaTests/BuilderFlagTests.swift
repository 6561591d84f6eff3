import Foundation
import Testing

@testable import lamina

/// The flags of other builders' `build` commands.
@Suite struct BuilderFlagTests {
    private static let grammar = CommandGrammar.of(["build"])

    private static func normalized(_ words: String) throws -> [String] {
        try CommandLineNormalizer.normalized(["build"] + words.split(separator: " ").map(String.init))
    }

    @Test func namesAreThereOnce() {
        let names = BuilderFlags.all.map(\.name)
        #expect(names.count == Set(names).count, "\(Dictionary(grouping: names) { $0 }.filter { $1.count > 1 }.keys)")
        for flag in BuilderFlags.all { #expect(!flag.tools.isEmpty, "\(flag.name)") }
    }

    /// A flag that works is one of the parser; what the parser has is not refused by the table.
    @Test(arguments: BuilderFlags.all.filter { $0.verdict == .works })
    func whatWorksIsAnOptionOfTheParser(_ flag: BuilderFlag) throws {
        let option = try #require(Self.grammar?[flag.name], "--\(flag.name)")
        let takesValue =
            switch option.form {
            case .value, .optionalValue: true
            case .flag, .alwaysOn, .flagOrValue, .other: false
            }
        if case .other = option.form { Issue.record("--\(flag.name) is no option of the parser") }
        #expect(takesValue == (flag.form != .flag), "--\(flag.name)")
    }

    @Test(arguments: [
        ("--rm --force-rm=false --compress --layers --loglevel 3 .", "build ."),
        ("--rm=false --disable-content-trust -t x .", "build --tag=x ."),
        ("--load .", "build --output=type=docker ."), ("--load=false .", "build ."),
        ("--builder default --provenance=false --sbom=false .", "build --provenance=false --sbom=false ."),
        ("--builder=default .", "build ."), ("--builder remote .", "build ."),
        ("--layers=false .", "build --squash ."), ("--layers=true .", "build ."),
        ("--squash --stdin --layer-label=a=b .", "build --squash --stdin ."),
        (
            "--provenance=disabled=true --attest type=sbom,disabled=true .",
            "build --provenance=disabled=true --attest=type=sbom,disabled=true ."
        ),
        ("--format oci --skip-unused-stages --identity-label=false .", "build --format=oci --skip-unused-stages ."),
        ("--pid private --ipc=private --uts private .", "build ."),
        ("--all-platforms=false --squash=false --stdin=false .", "build ."),
        ("--source-date-epoch 0 .", "build --build-arg=SOURCE_DATE_EPOCH=0 ."),
        ("--pull-always .", "build --pull=always ."), ("--print outline .", "build --call=outline ."),
        ("--dockerfile D --destination r/n:1 .", "build --file=D --tag=r/n:1 --push ."),
        ("--tar-path o.tar --push-retry=2 .", "build --output=type=docker,dest=o.tar --retry=2 ."),
        ("--inherit-labels=false --http-proxy=true .", "build --no-inherit-labels --http-proxy ."),
        ("--arch arm64 --variant v8 .", "build --arch=arm64 --variant=v8 ."),
    ])
    func flagsBecomeWordsOfTheParser(_ words: String, _ expected: String) throws {
        #expect(try Self.normalized(words) == expected.split(separator: " ").map(String.init))
    }

    @Test(arguments: [
        (
            "--save-stages .",
            "--save-stages is not there: one image is kept; name a stage with --target and -t, and its steps come from "
                + "the cache"
        ),
        ("--rm=maybe .", "invalid value 'maybe' for --rm: use true or false"),
        ("--manifest", "--manifest needs a value"),
        (
            "--context dir:///workspace .",
            "--context=dir:///workspace is not there: the context is the argument of lamina build: a directory, a URL, "
                + "or - for the standard input"
        ),
    ])
    func refusalsAreOneSentence(_ words: String, _ message: String) {
        let error = #expect(throws: CommandLineError.self) { try Self.normalized(words) }
        #expect(error?.message == message)
    }

    /// No flag of the table reaches the parser as one that it does not know.
    @Test(arguments: BuilderFlags.all)
    func noFlagIsUnknown(_ flag: BuilderFlag) throws {
        for word in flag.form == .value ? ["--\(flag.name)=1"] : ["--\(flag.name)", "--\(flag.name)=false"] {
            guard let words = try? CommandLineNormalizer.normalized(["build", word, "."]) else { continue }
            for word in words.dropFirst() where word.hasPrefix("--") {
                let option = Self.grammar?[word.dropFirst(2).prefix { $0 != "=" }]
                #expect(option != nil, "\(word)")
                if case .other? = option?.form { Issue.record("\(word) reaches the parser") }
            }
        }
    }

    @Test(arguments: BuilderFlag.Tool.allCases)
    func theTableHasEveryFlagOfTheInstalledTool(_ tool: BuilderFlag.Tool) throws {
        guard let help = InstalledHelp(of: tool) else { return }
        #expect(help.flags.count > 20)
        for (name, form) in help.flags where name != "help" {
            let flag = try #require(BuilderFlags[name], "\(tool.command) has --\(name)")
            #expect(flag.tools.contains(tool), "\(tool.command) has --\(name)")
            // Docker's --pull takes no word of Buildah's.
            let isNarrower = form == .flag && flag.form == .optionalValue
            #expect(flag.form == form || isNarrower, "\(tool.command) --\(name)")
        }
    }

    @Test func thePageIsMadeFromTheTable() throws {
        let page = CompatibilityPage.text
        if ProcessInfo.processInfo.environment["LAMINA_WRITE_PAGES"] != nil {
            try page.write(toFile: CompatibilityPage.path, atomically: true, encoding: .utf8)
        }
        let file = try String(contentsOfFile: CompatibilityPage.path, encoding: .utf8)
        #expect(file == page, "make docs/compatibility.md again: run this test with LAMINA_WRITE_PAGES=1")
    }
}
