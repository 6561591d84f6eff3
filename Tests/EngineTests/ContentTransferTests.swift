import Diagnostics
import Images
import Linux
import OCI
import Store
import SystemPackage
import Testing

/// The store as a source and a sink of blobs.
@Suite struct ContentTransferTests {
    private func leftovers(_ store: StoreRoot) throws -> [String] {
        try Directory(opening: store.path.appending("tmp")).names().map(\.text).filter { !$0.hasSuffix(".lock") }
    }

    @Test func transfersCheckWhatWasAnnounced() throws {
        let scratch = try Scratch()
        let store = try StoreRoot(at: scratch.path.appending("store"))
        let bytes = Array("some bytes".utf8)
        func descriptor(_ content: [UInt8], size: Int) -> Descriptor {
            Descriptor(mediaType: .ociLayer, digest: Digest(of: content), size: Int64(size))
        }
        for wrong in [descriptor(bytes, size: 9), descriptor(bytes, size: 11), descriptor([1], size: 10)] {
            let writer = try store.content.writer(for: wrong)
            #expect(throws: StoreError.self) {
                try writer.write(bytes.span)
                try writer.commit(as: Digest(of: bytes))
            }
            writer.discard()
        }
        #expect(try store.content.all().isEmpty && leftovers(store).isEmpty)

        let right = descriptor(bytes, size: 10)
        let writer = try store.content.writer(for: right)
        for part in [Array(bytes[..<4]), Array(bytes[4...])] { try writer.write(part.span) }
        try writer.commit(as: right.digest)
        writer.discard()
        let reader = try store.content.reader(for: right, from: 5)
        var buffer = [UInt8](repeating: 0, count: 100)
        #expect(try reader.read(into: &buffer) == 5)
        #expect(buffer[..<5].elementsEqual("bytes".utf8))
        let error = #expect(throws: StoreError.self) {
            try store.content.reader(for: descriptor([1], size: 1), from: 0)
        }
        #expect(error?.code == .notFound)
        withExtendedLifetime(scratch) {}
    }
}
