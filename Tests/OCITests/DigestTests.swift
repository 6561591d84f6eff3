import OCI
import Testing

@Suite struct DigestTests {
    @Test(arguments: ["", "sha256:", "sha256:ABC", "md5:00", "sha256:" + String(repeating: "A", count: 64)])
    func rejectsMalformed(_ text: String) {
        #expect(throws: DigestError.self) { try Digest(parsing: text) }
    }

    @Test func hashesKnownBytes() throws {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(Digest(of: [UInt8]()).description == empty)
        #expect(try Digest(parsing: empty) == Digest(of: ""))
        #expect(Digest(of: "abc").short == "ba7816bf8f01")
    }

    @Test func chainIDsFollowTheSpecification() {
        let a = DiffID(Digest(of: "a"))
        let b = DiffID(Digest(of: "b"))
        #expect(ChainID.of([a])?.digest == a.digest)
        #expect(ChainID.of([a, b])?.digest == Digest(of: "\(a) \(b)"))
        #expect(ChainID.of([DiffID]()) == nil)
    }

    @Test func emptyLayerIsTwoZeroBlocks() {
        #expect(
            DiffID.empty.description == "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
    }
}
