import SystemPackage
import Testing

/// The commands that look at single files of an image.
@Suite("Files of images", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ImageFileTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context(
            #"""
            FROM lamina/base
            COPY data /data
            RUN rm /data/gone; printf two > /data/b; printf x > "$(printf '/data/\033[31mred\nname')"; \
                ln -s b /data/link; ln /data/b /data/hard; chmod 4755 /data/b

            """#)
        try scratch.write("one\n", to: "context/data/a")
        try scratch.write("old", to: "context/data/b")
        try scratch.write("gone", to: "context/data/gone")
        try lamina.build(context, "-t", "files")
    }

    @Test func listingsHaveModesLinksAndLayers() throws {
        let lines = try lamina.succeeding("ls", "files", "/data").outputLines
        #expect(lines.first?.split(separator: " ") == ["MODE", "OWNER", "GROUP", "SIZE", "MODIFIED", "LAYER", "NAME"])
        let format = "{{.Mode}} {{.Size}} {{.Layer}} {{.Line}}"
        #expect(
            try lamina.succeeding("ls", "--format", format, "files", "data/").outputLines == [
                #"-rw-r--r-- 1 3 \x1b[31mred\nname"#, "-rw-r--r-- 4 2 a", "-rwsr-xr-x 3 3 b",
                "-rwsr-xr-x 0 3 hard => /data/b", "lrwxrwxrwx 0 3 link -> b",
            ])
        #expect(
            try lamina.succeeding("ls", "--layer", "2", "--format", "{{.Path}}", "files", "-R").outputLines == [
                "/data", "/data/a", "/data/b", "/data/gone",
            ])
        #expect(try lamina.succeeding("ls", "files", "/data/a", "--format", "{{.Name}}").trimmed == "a")
        #expect(try lamina.succeeding("ls", "files", "--format", "{{.Name}}").outputLines.contains("data"))
        #expect(try lamina("ls", "files", "/data/gone").errorText.contains("the image has no file '/data/gone'"))
    }

    @Test func contentsComeFromAnyLayer() throws {
        #expect(try lamina.succeeding("cat", "files", "/data/a", "data/link").outputText == "one\ntwo")
        #expect(try lamina.succeeding("cat", "--layer", "2", "files", "/data/b", "/data/gone").outputText == "oldgone")
        let directory = try lamina("cat", "files", "/data")
        #expect(directory.status == 1 && directory.errorText.contains("'/data' is a directory"))
        #expect(try lamina("cat", "--layer", "9", "files", "/data/a").errorText.contains("the image has no layer 9"))
    }

    /// A loaded image has no unpacked layers, so its files come from its blobs.
    @Test func filesOfALoadedImageAreReadWithoutUnpacking() throws {
        let archive = scratch.path.appending("files.tar")
        try lamina.succeeding("save", "-o", archive.string, "files")
        let other = Lamina(root: scratch.path.appending("other"))
        try other.succeeding("load", "-q", "-i", archive.string)
        #expect(try other.succeeding("cat", "files", "/data/a", "/data/link").outputText == "one\ntwo")
        let target = scratch.path.appending("loaded")
        try other.succeeding("extract", "files", "/data", target.string)
        #expect(try text(of: target.appending("data").appending("hard")) == "two")
        #expect(try !other.succeeding("df").outputLines.contains { $0.hasPrefix("Snapshots") && !$0.contains(" 0 ") })
    }

    @Test func filesAreFoundByNameAndPath() throws {
        #expect(try lamina.succeeding("find", "files", "?").outputLines.contains("/data/a"))
        #expect(try lamina.succeeding("find", "files", "/data/[ab]").outputLines == ["/data/a", "/data/b"])
        #expect(try lamina.succeeding("find", "-E", "files", "^data/(a|li)").outputLines == ["/data/a", "/data/link"])
        #expect(try lamina.succeeding("find", "files", "*31mred*").outputLines == [#"/data/\x1b[31mred\nname"#])
        #expect(try lamina.succeeding("find", "-0", "files", "*31mred*").outputText == "/data/\u{1b}[31mred\nname\0")
        #expect(try lamina.succeeding("find", "--layer", "2", "files", "gone").outputLines == ["/data/gone"])
        #expect(try lamina("find", "-E", "files", "(").errorText.contains("a '(' has no ')'"))
    }

    @Test func extractedFilesAreTheCallersAndReplaceNothing() throws {
        let target = scratch.path.appending("out")
        let finished = try lamina.succeeding("extract", "files", "/data", target.string)
        #expect(finished.errorText == "Extracted 5 files, 8B\n")
        #expect(try text(of: target.appending("data").appending("b")) == "two")
        let mode = try expectSuccess("stat", "-c", "%a %h %U", target.appending("data").appending("b").string).trimmed
        #expect(mode == "755 2 root")
        let again = try lamina("extract", "files", "/data", target.string)
        #expect(again.status == 1 && again.errorText.contains("'data' is in the directory already"))
        let whole = scratch.path.appending("whole")
        try lamina.succeeding("extract", "files", "/", whole.string)
        #expect(try text(of: whole.appending("data").appending("a")) == "one\n")
        #expect(try lamina("extract", "files", "/", whole.string).errorText.contains("the directory is not empty"))
    }
}
