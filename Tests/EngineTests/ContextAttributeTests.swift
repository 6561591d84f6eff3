import Diagnostics
import DockerfileSyntax
import Glibc
import Layers
import Linux
import SystemPackage
import Testing
import Trees

/// Extended attributes of the files of a build context.
@Suite struct ContextAttributeTests {
    /// A file capability as the kernel keeps it: version 2, effective, with CAP_NET_BIND_SERVICE permitted.
    private static let capability = ExtendedAttribute(
        name: "security.capability", value: [1, 0, 0, 2, 0, 4, 0, 0] + [UInt8](repeating: 0, count: 12))

    @Test(.enabled(if: geteuid() == 0, "needs root")) func `only capabilities come into an image`() throws {
        let scratch = try Scratch()
        let directory = try Directory(opening: scratch.path)
        _ = try directory.create("f")
        _ = try directory.create("plain")
        try directory.setExtendedAttribute("f", Self.capability)
        let origin = ExtendedAttribute(name: "user.xdg.origin.url", value: Array("https://example.com/?key=1".utf8))
        for name in ["f", "plain"] as [PathBytes] { try directory.setExtendedAttribute(name, origin) }
        let tree = try ContextTree(scratch.path, rules: IgnoreRules(patterns: []), cache: nil)
        #expect(try tree.node(at: "f")?.entry.attributes == [Self.capability])
        #expect(try tree.node(at: "plain")?.entry.attributes == [])
    }

    /// A mount that shows the directory itself would show them, too.
    @Test(.enabled(if: geteuid() == 0, "needs root"), arguments: ["", "d", "d/f"] as [PathBytes])
    func `files with other attributes are not mounted in place`(_ path: PathBytes) throws {
        let scratch = try Scratch()
        let directory = try Directory(opening: scratch.path)
        try directory.makeDirectory("d", permissions: 0o755)
        _ = try directory.directory("d").create("f")
        let tree = try ContextTree(scratch.path, rules: IgnoreRules(patterns: []), cache: nil)
        try directory.directory("d").setExtendedAttribute("f", Self.capability)
        #expect(try tree.isPlain(path))
        let origin = ExtendedAttribute(name: "user.xdg.origin.url", value: Array("https://example.com/".utf8))
        try directory.directory("d").setExtendedAttribute("f", origin)
        #expect(try !tree.isPlain(path))
    }
}
