import SystemPackage
import Testing

/// Archives that ask for more than any machine has are refused with a sentence, by every command that reads archives.
@Suite("A limit of archives", .enabled(if: Machine.isRoot && Machine.has("python3"), "needs root and python3"))
struct ArchiveLimitTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        try expectSuccess("mkdir", scratch.path.appending("archives").string)
        let script = Lamina.packageRoot.appending("testdata/layers/archives.py").string
        try expectSuccess("python3", script, scratch.path.appending("archives").string)
    }

    private func archive(_ name: String) -> String { scratch.path.appending("archives").appending(name).string }

    static let archives = [
        ("endless-member", ""),
        ("sparse-endless", "the holes of 'big' and the files before it take more than 1 TiB"),
        ("many-attributes", "more extended attributes than Linux takes"),
        ("long-link", "leads to a path of 40000 bytes"), ("links-in-links", "never end"),
        ("itself", "is a hard link to itself"),
    ]

    @Test(arguments: archives) func isToldByEveryReader(_ name: String, _ message: String) throws {
        let context = try scratch.context("FROM scratch\nADD \(name) /\n")
        try expectSuccess("cp", archive(name), context.string)
        let commands: [(arguments: [String], input: FilePath)] = [
            (["import", archive(name), "x:1"], "/dev/null"), (["build", context.string], "/dev/null"),
            (["build", "-"], FilePath(archive(name))), (["load", "-i", archive("image-of-\(name)")], "/dev/null"),
        ]
        for (arguments, input) in commands {
            let finished = try lamina.start(arguments, input: input).wait()
            #expect(finished.status == 1, "\(arguments): \(finished.outputText)")
            // What says that it is too large for the disk is told so where it would be unpacked.
            let messages = message.isEmpty ? ["ends in the middle of 'big'", "there is too little space"] : [message]
            #expect(messages.contains { finished.errorText.contains($0) }, "\(arguments): \(finished.errorText)")
        }
        #expect(try lamina.state() == [])
    }

    @Test(arguments: [
        ("many-keys", "there are 0 layers for an image of 1"), ("huge-layers", "more than 1 PiB"),
        ("old-docker", "was saved by a Docker older than 1.10"),
    ])
    func isToldOfImages(_ name: String, _ message: String) throws {
        let finished = try lamina("load", "-i", archive(name))
        #expect(finished.status == 1)
        #expect(finished.errorText.contains(message), "\(finished.errorText)")
        #expect(!finished.errorText.contains("lamina import"))
    }

    /// Commands, copies and exports see what an overlay shows: a directory that hides the link, and a hard link that
    /// kept its file. Where no archive is unpacked, its list says the same.
    @Test(arguments: ["namespaces", "chroot"]) func showsLayersAsOverlaysDo(_ isolation: String) throws {
        let lamina = lamina.with(isolation: isolation)
        try lamina.succeeding("load", "-i", archive("image-below-link"))
        let context = try scratch.context(
            """
            FROM x:1 AS image
            COPY --from=lamina/base /bin /bin
            RUN [ ! -L /link ] && [ "$(ls /link /lower)" = "$(printf '/link:\\ntool\\n\\n/lower:\\nold')" ]
            RUN [ "$(cat /h /t)" = oldnew ]
            FROM lamina/base AS added
            ADD linked-then-replaced /a/
            RUN [ "$(cat /a/h /a/t)" = oldnew ]
            FROM lamina/base
            COPY --from=x:1 / /from-image
            COPY --from=added /a /a
            COPY --from=image /link /copied
            RUN [ "$(cat /from-image/h /from-image/t /a/h /a/t /copied/tool)" = oldnewoldnewy ] && [ ! -L /from-image/link ]

            """)
        try expectSuccess("cp", archive("linked-then-replaced"), context.string)
        try lamina.build(context)
        #expect(try lamina.succeeding("fsck").status == 0)
    }

    /// An image without layers, as Go writes it.
    @Test(arguments: ["null-docker", "null-layout"]) func nullIsEmpty(_ name: String) throws {
        try lamina.succeeding("load", "-i", archive(name))
        #expect(try lamina.succeeding("images", "-q").outputLines.count == 1)
    }
}
