import SystemPackage
import Testing

/// Files with more zeros than anybody could hash, which take no space on the disk.
@Suite("Sparse files", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct SparseFileTests {
    private static let limit = "take more than 1 TiB"

    @Test("Of a command they are refused at once", arguments: ["namespaces", "chroot"])
    func ofCommands(_ isolation: String) throws {
        let scratch = try Scratch()
        let context = try scratch.context("FROM lamina/base\nRUN truncate -s 2048G /x /y\n")
        let lamina = Lamina(root: scratch.path.appending("store")).with(isolation: isolation)
        let finished = try lamina("build", context.string)
        #expect(finished.status == 1)
        #expect(
            finished.errorText.contains(Self.limit) || finished.errorText.contains("no space is left"),
            "\(finished.errorText)")
    }

    @Test("Of a command they do no harm if it removes them")
    func removed() throws {
        let scratch = try Scratch()
        let context = try scratch.context("FROM lamina/base\nRUN truncate -s 2048G /x && rm /x && truncate -s 9M /y\n")
        try Lamina(root: scratch.path.appending("store")).build(context)
    }

    @Test("Of a context they are refused at once, unless they are ignored")
    func ofContexts() throws {
        let scratch = try Scratch()
        let context = try scratch.context("FROM scratch\nCOPY . /\n")
        try expectSuccess("truncate", "-s", "2T", context.appending("big").string)
        let lamina = Lamina(root: scratch.path.appending("store"))
        let finished = try lamina("build", context.string)
        #expect(finished.status == 1 && finished.errorText.contains("'big' in the build context"))
        #expect(finished.errorText.contains(Self.limit), "\(finished.errorText)")
        try scratch.write("big\n", to: "context/.dockerignore")
        try lamina.build(context)
    }
}
