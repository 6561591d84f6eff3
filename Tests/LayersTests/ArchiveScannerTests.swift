import Linux
import OCI
import SystemPackage
import Testing

@testable import Layers

@Suite("Members found without being read") struct ArchiveScannerTests {
    @Test("the content of each member is where it is said to be")
    func places() throws {
        let scratch = try Scratch()
        scratch.run("mkdir d && printf one > d/a && head -c 3000000 /dev/urandom > b && : > empty && ln -s b link")
        scratch.run("tar --format=pax -cf archive.tar d b empty link")
        let file = SharedDescriptor(try .open(FilePath(scratch.path).appending("archive.tar")))
        var scanner = try ArchiveScanner(file)
        var names: [String] = []
        while let member = try scanner.next() {
            names.append(member.entry.path.text)
            guard member.entry.kind == .regular, member.entry.size > 0 else { continue }
            var bytes = [UInt8](repeating: 0, count: Int(member.entry.size))
            _ = try file.descriptor.read(into: &bytes, from: member.offset)
            #expect(try bytes == scratch.read(member.entry.path))
        }
        #expect(names == ["d", "d/a", "b", "empty", "link"])
    }

    @Test("an archive that is cut off in a header is refused")
    func cutOff() throws {
        let scratch = try Scratch()
        scratch.run("printf one > a && printf two > b && tar -cf whole.tar a b && head -c 1200 whole.tar > archive.tar")
        var scanner = try ArchiveScanner(
            SharedDescriptor(try .open(FilePath(scratch.path).appending("archive.tar"))))
        _ = try scanner.next()
        #expect(throws: LayerError.self) { _ = try scanner.next() }
    }

    @Test("a file with holes is refused, as its content is not in one piece")
    func holes() throws {
        let scratch = try Scratch()
        scratch.run("truncate -s 1M a && printf x >> a && tar --sparse -cf archive.tar a")
        var scanner = try ArchiveScanner(
            SharedDescriptor(try .open(FilePath(scratch.path).appending("archive.tar"))))
        #expect(throws: LayerError.self) { _ = try scanner.next() }
    }
}
