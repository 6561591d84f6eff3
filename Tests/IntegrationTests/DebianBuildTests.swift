import SystemPackage
import Testing

/// The whole road: a Debian base, a compiler from the archive, an image of one file, and what other tools say to it.
@Suite("A program compiled on Debian", .enabled(if: Machine.canMakeDebian, Machine.needsDebian))
struct DebianBuildTests {
    private static let dockerfile = """
        FROM debian:bookworm AS build
        COPY apt/ /etc/apt/
        RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
        COPY main.c /src/main.c
        RUN gcc -static -o /answer /src/main.c
        FROM scratch
        COPY --from=build /answer /answer
        CMD ["/answer"]

        """

    private struct Built: Sendable {
        let archive: String
        let layout: String
    }

    /// The image as an archive and as a layout, made once for all the tests.
    private static let built = Result { () throws -> Built in
        let lamina = try DebianStore.lamina()
        let scratch = try Scratch()
        let context = try scratch.context(dockerfile)
        try scratch.write(
            "#include <stdio.h>\nint main(void) { puts(\"forty-two\"); return 0; }\n", to: "context/main.c")
        // The same settings as the corpus has, so that the apt layer is made once.
        try expectSuccess(
            "cp", "-r", CorpusTests.folder.appending("c-service/apt").string, context.appending("apt").string)
        try DebianBase.addSources(to: context)
        try lamina.build(context, "-t", "answer:1")

        let shared = try Scratch.shared.get()
        let built = Built(archive: shared.appending("answer.tar").string, layout: shared.appending("answer").string)
        try lamina.succeeding("save", "-o", built.archive, "answer:1")
        try lamina.build(context, "-t", "answer:1", "-o", "type=oci,dest=\(built.layout),tar=false")
        return built
    }

    @Test(.enabled(if: Machine.hasSkopeo, Machine.needsSkopeo)) func isInspectedBySkopeo() throws {
        let built = try Self.built.get()
        for source in ["docker-archive:\(built.archive)", "oci:\(built.layout):1"] {
            let shown = try JSONValue(parsing: expectSuccess("skopeo", "inspect", source).outputText)
            #expect(shown["Layers"]?.array?.count == 1)
            #expect(shown["Os"]?.string == "linux")
        }
    }

    @Test(.enabled(if: Machine.hasUmoci, Machine.needsUmoci)) func isUnpackedByUmoci() throws {
        let bundle = try Scratch()
        let target = bundle.path.appending("bundle").string
        try expectSuccess("umoci", "unpack", "--image", "\(try Self.built.get().layout):1", target)
        #expect(try expectSuccess("\(target)/rootfs/answer").outputText == "forty-two\n")
    }

    @Test(.enabled(if: Machine.hasPodman, Machine.needsPodman)) func runsInPodman() throws {
        try Podman.load(FilePath(try Self.built.get().archive))
        let finished = try Podman.run("docker.io/library/answer:1")
        #expect(finished.outputText == "forty-two\n", "\(finished.errorText)")
    }
}
