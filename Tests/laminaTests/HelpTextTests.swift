import Testing

@testable import lamina

@Suite("Help")
struct HelpTextTests {
    @Test func `common options come first and global ones last`() {
        let parsed = """
            OVERVIEW: Build an image.

            More of it.

            EXAMPLES:
              lamina build .

            USAGE: lamina build [<options>]

            ARGUMENTS:
              <path>  The files.

            GLOBAL OPTIONS:
              --root <dir>  The store.

            REGISTRY OPTIONS:
              --offline  Ask nothing.

            OPTIONS:
              -t <name>  The name.
              -h  Help.
            """
        #expect(
            HelpText(parsed: parsed).text == """
                OVERVIEW: Build an image.

                More of it.

                USAGE: lamina build [<options>]

                EXAMPLES:
                  lamina build .

                ARGUMENTS:
                  <path>  The files.

                OPTIONS:
                  -t <name>  The name.
                  -h  Help.

                REGISTRY OPTIONS:
                  --offline  Ask nothing.

                GLOBAL OPTIONS:
                  --root <dir>  The store.
                """)
    }

    @Test func `a list of commands stays as it is`() {
        let parsed = """
            OVERVIEW: Programs.

            USAGE: lamina <subcommand>

            OPTIONS:
              -h  Help.

            SUBCOMMANDS:
              build  Build an image.

              See 'lamina help <subcommand>' for detailed help.
            """
        #expect(HelpText(parsed: parsed).text == parsed)
    }

    @Test(arguments: [["build"], ["push"], ["index", "create"], ["analyze"]])
    func `every command is called by its whole name`(_ words: [String]) throws {
        let help = try #require(Lamina.help(for: words + ["--help"]))
        #expect(help.contains("\nUSAGE: lamina \(words.joined(separator: " ")) "))
        let options = try #require(help.firstRange(of: "\nOPTIONS:")).lowerBound
        let global = try #require(help.firstRange(of: "\nGLOBAL OPTIONS:")).lowerBound
        #expect(options < global)
    }
}
