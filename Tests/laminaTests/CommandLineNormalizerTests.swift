import ArgumentParser
import OCI
import Testing

@testable import lamina

@Suite struct CommandLineNormalizerTests {
    @Test(arguments: [
        ("", ""),
        ("build .", "build ."),
        // Values joined to their option.
        ("build -f- .", "build --file=- ."), ("build -fX .", "build --file=X ."), ("build -f=X .", "build --file=X ."),
        ("build -tNAME:1 -os.tar .", "build --tag=NAME:1 --output=s.tar ."),
        ("build -f - -", "build --file=- -"), ("build -m512m -c 2 .", "build --memory=512m --cpu-shares=2 ."),
        // Values that look like options.
        ("build --build-arg --pull .", "build --build-arg=--pull ."),
        ("build --memory-swap -1 .", "build --memory-swap=-1 ."), ("build -t --quiet .", "build --tag=--quiet ."),
        ("build --label a=b=c .", "build --label=a=b=c ."),
        ("build --net host .", "build --network=host ."),
        // Joined switches, the last of which may have a value.
        ("build -qt x .", "build --quiet --tag=x ."), ("build -qtx .", "build --quiet --tag=x ."),
        ("build -Dq .", "build --debug --quiet ."), ("run -it alpine", "run --interactive --tty alpine"),
        ("run -itw/src alpine", "run --interactive --tty --workdir=/src alpine"),
        ("run -ite A=1 alpine", "run --interactive --tty --env=A=1 alpine"),
        // Switches with values.
        ("build --no-cache=true .", "build --no-cache ."), ("build --no-cache=1 .", "build --no-cache ."),
        ("build --no-cache=t --quiet=T .", "build --no-cache --quiet ."),
        ("build --no-cache=false .", "build ."), ("build --no-cache --no-cache=0 .", "build ."),
        ("build -q --quiet=f .", "build ."), ("build -q=false .", "build ."), ("build -q=true .", "build --quiet ."),
        ("build --no-cache=false --no-cache .", "build --no-cache ."),
        ("build --builder-annotation=false .", "build --no-builder-annotation ."),
        ("history --human=false x", "history --no-human x"), ("history -H=0 x", "history --no-human x"),
        ("run --rm=true alpine", "run --rm alpine"), ("prune -af=false", "prune --all"),
        // Values that may be left out.
        ("build --pull .", "build --pull=always ."), ("build --pull=never .", "build --pull=never ."),
        ("build --pull --quiet .", "build --pull=always --quiet ."),
        ("build --explain .", "build --explain ."), ("build --explain=json .", "build --explain-format=json ."),
        ("build --explain=false .", "build ."), ("build --explain=1 .", "build --explain ."),
        // The end of the options.
        ("build -- -q", "build -- -q"), ("build . -q -t x", "build --quiet --tag=x ."),
        ("build . -- --pull -fX", "build . -- --pull -fX"),
        ("expand --mode display -- -x", "expand --mode=display -- -x"),
        ("run alpine -it -e x", "run alpine -it -e x"), ("run -i alpine sh -c x", "run --interactive alpine sh -c x"),
        ("run alpine --pull --explain=json --", "run alpine --pull --explain=json --"),
        ("run -- alpine -q", "run alpine -q"), ("run --pull always alpine", "run --pull=always alpine"),
        // Options before the command, aliases and subcommands.
        ("--root /r build .", "build --root=/r ."), ("-D --root=/r images", "images --debug --root=/r"),
        ("--debug=false images", "images"), ("-D builds rm --all", "builds rm --debug --all"),
        ("list -q", "images --quiet"),
        ("dive --paths 3 x", "analyze --paths=3 x"), ("du -v", "df --verbose"),
        ("builds -qn3", "builds --quiet --last=3"),
        ("builds list -f status=lost", "builds ls --filter=status=lost"),
        ("prune --max-used-space 1GB", "prune --keep-storage=1GB"),
        // Words for the parser.
        ("--help", "--help"), ("-h", "-h"), ("--version", "--version"), ("help build", "help build"),
        ("build -h", "build --help"), ("run -h x alpine", "run --hostname=x alpine"), ("run --help", "run --help"),
        ("build --bogus x .", "build --bogus x ."), ("build -qx .", "build -qx ."), ("build -t", "build --tag"),
        ("build --bogus=1 -q .", "build --bogus=1 --quiet ."), ("--bogus build", "--bogus build"),
    ])
    func wordsBecomeThoseOfTheParser(_ words: String, _ expected: String) throws {
        func split(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
        let normalized = try CommandLineNormalizer.normalized(split(words))
        #expect(normalized == split(expected))
        #expect(try CommandLineNormalizer.normalized(normalized) == normalized)
    }

    @Test(arguments: [["--entrypoint", ""], ["--entrypoint="]])
    func emptyValuesStay(_ entrypoint: [String]) throws {
        let words = try CommandLineNormalizer.normalized(["run"] + entrypoint + ["-e=", "a", ""])
        #expect(words == ["run", "--entrypoint", "", "--env", "", "a", ""])
        #expect(try CommandLineNormalizer.normalized(words) == words)
        let command = try #require(try Lamina.parseAsRoot(["run", "--entrypoint", "", "a"]) as? RunCommand)
        #expect(command.words.options.entrypoint == "" && command.words.image == "a")
    }

    @Test(arguments: [
        (["buil"], "unknown command 'buil'; did you mean 'build'?\nSee 'lamina --help' for the commands."),
        (["BUILD", "."], "unknown command 'BUILD'; did you mean 'build'?\nSee 'lamina --help' for the commands."),
        (["inspct", "x"], "unknown command 'inspct'; did you mean 'inspect'?\nSee 'lamina --help' for the commands."),
        (["remove", "x"], "unknown command 'remove'; did you mean 'rmi'?\nSee 'lamina --help' for the commands."),

        (["-D", "frobnicate"], "unknown command 'frobnicate'\nSee 'lamina --help' for the commands."),
        (
            ["builds", "inspekt"],
            "unknown command 'builds inspekt'; did you mean 'inspect'?\nSee 'lamina builds --help' for the commands."
        ),
        (["build", "--no-cache=maybe", "."], "invalid value 'maybe' for --no-cache: use true or false"),
        (["build", "-q=", "."], "invalid value '' for -q: use true or false"),
    ])
    func wrongCommandLinesHaveASentence(_ words: [String], _ message: String) {
        let error = #expect(throws: CommandLineError.self) { try CommandLineNormalizer.normalized(words) }
        #expect(error?.message == message)
    }

    /// The parser tells its options only as a document, which is too slow to make at each start.
    @Test func grammarsHaveTheOptionsOfTheParser() throws {
        let tool = try JSON(parsing: Array(Lamina._dumpHelp().utf8))
        for command in try #require(tool["command"]?["subcommands"]?.array) { try compare(command, after: []) }
    }

    private func compare(_ command: JSON, after parents: [String]) throws {
        let name = try #require(command["commandName"]?.string)
        if name == "help" { return }
        let words = parents + [name]
        for subcommand in command["subcommands"]?.array ?? [] { try compare(subcommand, after: words) }
        // The options of a default subcommand are those of its parent, and groups have none.
        let groups = [
            "builds", "config", "image", "index", "builder", "buildx", "manifest", "system", "container", "volume",
        ]
        if groups.contains(name) { return }
        let grammar = try #require(CommandGrammar.of(words), "\(words) has no grammar")
        var parsed: [String: Bool] = [:]
        for argument in command["arguments"]?.array ?? [] where argument["kind"]?.string != "positional" {
            for spelling in argument["names"]?.array ?? [] {
                let dashes = spelling["kind"]?.string == "short" ? "-" : "--"
                let word = dashes + (try #require(spelling["name"]?.string))
                // The short name of a command's own option hides the one for help.
                if argument["kind"]?.string == "flag", parsed[word] != nil { continue }
                parsed[word] = argument["kind"]?.string == "option"
            }
        }
        let known = grammar.spellings.mapValues { option in
            switch option.form {
            case .value, .optionalValue: true
            case .flag, .alwaysOn, .flagOrValue, .other: false
            }
        }
        #expect(known == parsed, "\(words.joined(separator: " "))")
        for (word, option) in grammar.spellings where !word.hasPrefix("--") {
            #expect(known["--\(option.name)"] != nil, "\(word) of \(words) has no long name")
        }
    }
}
