import SystemPackage
import Testing

/// A store within the context that is built, as `LAMINA_ROOT=.lamina` makes it.
@Suite("A store within the context", .enabled(if: Machine.isRoot, "needs root"))
struct StoreInContextTests {
    @Test("is no part of it", arguments: ["namespaces", "chroot"])
    func isLeftOut(_ isolation: String) throws {
        let scratch = try Scratch()
        try scratch.write("kept\n", to: "context/sub/file")
        let context = try scratch.context(
            "FROM lamina/base\nRUN --mount=type=bind,target=/c ls -A /c /c/sub > /list\nCOPY sub /sub\nRUN ls -A /sub >> /list\n"
        )
        let lamina = Lamina(root: context.appending("sub/store")).with(isolation: isolation)
        try lamina.build(context, "-t", "made")
        #expect(
            try lamina.succeeding("cat", "made", "/list").outputText == "/c:\nDockerfile\nsub\n\n/c/sub:\nfile\nfile\n")
        // The build has changed the store, and nothing that its steps see.
        #expect(try lamina.start(["build", "--progress", "plain", context.string]).wait().errorText.contains("CACHED"))
    }
}
