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

    @Test func isAcceptedByOthersAndRuns() throws {
        let lamina = try DebianStore.lamina()
        let scratch = try Scratch()
        let context = try scratch.context(Self.dockerfile)
        try scratch.write(
            "#include <stdio.h>\nint main(void) { puts(\"forty-two\"); return 0; }\n", to: "context/main.c")
        // The same settings as the corpus has, so that the apt layer is made once.
        try expectSuccess(
            "cp", "-r", CorpusTests.folder.appending("c-service/apt").string, context.appending("apt").string)
        try DebianBase.addSources(to: context)
        let id = try lamina.build(context, "-t", "answer:1")
        #expect(id.hasPrefix("sha256:"))

        let archive = scratch.path.appending("answer.tar").string
        try lamina.succeeding("save", "-o", archive, "answer:1")
        let layout = scratch.path.appending("layout").string
        try lamina.build(context, "-t", "answer:1", "-o", "type=oci,dest=\(layout),tar=false")

        if Machine.hasSkopeo {
            let shown = try JSONValue(parsing: expectSuccess("skopeo", "inspect", "docker-archive:\(archive)").outputText)
            #expect(shown["Layers"]?.array?.count == 1)
            #expect(shown["Os"] == .string("linux"))
        }
        if Machine.hasUmoci {
            let bundle = scratch.path.appending("bundle").string
            try expectSuccess("umoci", "unpack", "--image", "\(layout):1", bundle)
            #expect(try expectSuccess("\(bundle)/rootfs/answer").outputText == "forty-two\n")
        }
        if Machine.hasPodman {
            try Podman.load(FilePath(archive))
            #expect(try Podman.run("docker.io/library/answer:1").outputText == "forty-two\n")
        }
    }
}
