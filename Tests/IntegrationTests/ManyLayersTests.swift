import SystemPackage
import Testing

/// Images of more layers than the kernel mounts as one overlay (500).
@Suite("Images of many layers", .enabled(if: Machine.isRoot, Machine.needsRoot)) struct ManyLayersTests {
    @Test("A command runs on more layers than an overlay has, sees all of them, and so does a mount of them")
    func commandRuns() throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let copies = (1...505).map { "COPY f /files/\($0)\n" }.joined()
        let context = try scratch.context(
            """
            FROM lamina/base AS many
            \(copies)RUN [ $(ls /files | wc -l) = 505 ] && rm /files/7 && echo made > /made
            RUN [ -f /made ] && [ ! -e /files/7 ] && [ -f /files/505 ]
            FROM lamina/base
            RUN --mount=from=many,target=/m [ -f /m/made ] && [ -f /m/files/505 ] && [ ! -e /m/files/7 ]
            """)
        try expectSuccess("sh", "-c", "echo f > '\(context)/f'")
        try lamina.build(context, "-t", "last")
        try lamina.build(context, "--target", "many", "-t", "many")
        let listed = try lamina.succeeding("run", "many", "ls", "/files").outputLines
        #expect(listed.count == 504)
        #expect(try lamina("fsck").status == 0)
    }
}
