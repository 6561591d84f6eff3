import SystemPackage
import Testing

/// Images that are analysed where they are, without a store.
@Suite("Images in files", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ForeignImageTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let expected: JSONValue

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context(
            "FROM lamina/base\nRUN echo one > /a; echo two > /b\nRUN rm /a; chmod 600 /b\n")
        try lamina.build(context, "-t", "foreign:1")
        try lamina.succeeding("save", "-o", scratch.path.appending("saved.tar").string, "foreign:1")
        expected = try JSONValue(parsing: lamina.succeeding("analyze", "--format", "json", "foreign:1").outputText)
    }

    /// A store that stays empty.
    private var other: Lamina { Lamina(root: scratch.path.appending("none")) }

    private func expectSame(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let found = try JSONValue(parsing: other.succeeding("analyze", "--format", "json", name).outputText)
        for key in ["image", "waste", "paths", "dive"] {
            #expect(found[key] == expected[key], sourceLocation: sourceLocation)
        }
        #expect(try other.succeeding("cat", name, "/b").outputText == "two\n", sourceLocation: sourceLocation)
        #expect(try other.succeeding("ls", "--layer", "2", "--format", "{{.Name}}", name).outputLines == ["a", "b"])
        let target = scratch.path.appending("out")
        try other.succeeding("extract", name, "/b", target.string)
        #expect(try text(of: target.appending("b")) == "two\n", sourceLocation: sourceLocation)
        try expectSuccess("rm", "-r", target.string)
        #expect(
            try run("test", "-e", other.root.string).status == 1, "nothing is stored", sourceLocation: sourceLocation)
    }

    @Test func archivesOfLaminaAreReadInPlace() throws {
        try expectSame(scratch.path.appending("saved.tar").string)
        try expectSame("docker-archive:\(scratch.path)/saved.tar:foreign:1")
        try expectSuccess("gzip", "-k", scratch.path.appending("saved.tar").string)
        try expectSame("oci-archive:\(scratch.path)/saved.tar.gz")
    }

    @Test(.enabled(if: Machine.hasSkopeo, Machine.needsSkopeo)) func formsOfSkopeoAreReadInPlace() throws {
        let saved = "docker-archive:\(scratch.path)/saved.tar"
        for (target, name) in [
            ("oci:\(scratch.path)/layout:v1", "oci:\(scratch.path)/layout:v1"),
            ("oci:\(scratch.path)/layout:v1", "\(scratch.path)/layout"),
            ("oci-archive:\(scratch.path)/layout.tar", "\(scratch.path)/layout.tar"),
            // Layers have names with links between them there.
            ("docker-archive:\(scratch.path)/docker.tar:foreign:2", "docker-archive:\(scratch.path)/docker.tar:2"),
        ] {
            try expectSuccess(
                "rm", "-rf", "\(scratch.path)/layout", "\(scratch.path)/layout.tar", "\(scratch.path)/docker.tar")
            try expectSuccess("skopeo", "copy", "-q", "--insecure-policy", saved, target)
            try expectSame(name)
        }
    }

    @Test func filesThatAreNoImagesAreRefusedWithASentence() throws {
        let text = try scratch.write("hello", to: "text").string
        #expect(try other("analyze", text).errorText.contains("cannot be analysed: the layer is not a tar archive"))
        try expectSuccess("mkdir", scratch.path.appending("empty").string)
        #expect(
            try other("analyze", scratch.path.appending("empty").string).errorText.contains(
                "it is neither a Docker archive nor an OCI layout"))
        #expect(try other("analyze", "./missing").status == 1)
        #expect(
            try other("analyze", "oci-archive:\(scratch.path)/saved.tar:nothing").errorText.contains(
                "it has no image 'nothing'"))
        let damaged = scratch.path.appending("damaged.tar").string
        try expectSuccess("sh", "-c", "head -c 1000000 '\(scratch.path)/saved.tar' > '\(damaged)'")
        #expect(try other("analyze", damaged).status == 1)
    }
}
