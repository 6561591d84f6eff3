import Layers
import Linux
import OCI
import Testing

/// The layers that BuildKit makes of the same files, byte for byte.
struct GoldenLayerTests {
    private static let y2020 = FileTime(seconds: 1_580_608_922)
    private static let epoch = FileTime(seconds: 1_700_000_000)

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let entries: [LayerEntry]
        var content: [PathBytes: String] = [:]
        let digest: String
        let size: Int64
        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "empty", entries: [],
            digest: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef", size: 1024),
        Case(
            name: "file", entries: [LayerEntry(path: "a.txt", kind: .regular, permissions: 0o644, modified: y2020)],
            content: ["a.txt": "hello\n"],
            digest: "3e015d8ee439890163b8fe4665444311edd7f6846cd36c61525fce0d3e7c13cd", size: 2048),
        Case(
            name: "directory", entries: [LayerEntry(path: "w", kind: .directory, permissions: 0o755, modified: epoch)],
            digest: "a30423ec4f30e088b42b95e94241ce7c485b1507d6834fcebc7a13d9074f5832", size: 1536),
        Case(
            name: "tree",
            entries: [
                LayerEntry(path: "dst", kind: .directory, permissions: 0o755, owner: 7, group: 8, modified: y2020),
                LayerEntry(
                    path: "dst/link", kind: .symlink, permissions: 0o777, owner: 7, group: 8, modified: y2020,
                    linkTarget: "sub/f"),
                LayerEntry(path: "dst/sub", kind: .directory, permissions: 0o755, owner: 7, group: 8, modified: y2020),
                LayerEntry(path: "dst/sub/f", kind: .regular, permissions: 0o644, owner: 7, group: 8, modified: y2020),
            ],
            content: ["dst/sub/f": "x"],
            digest: "1ca55953ffab335283b4a6f7628b9700c763931b85953edde8574e3ea3538d04", size: 3584),
        Case(
            name: "here-document",
            entries: [
                LayerEntry(path: "etc", kind: .directory, permissions: 0o755, modified: epoch),
                LayerEntry(path: "etc/conf", kind: .regular, permissions: 0o644, modified: epoch),
            ],
            content: ["etc/conf": "v=b <&> r\n"],
            digest: "9f7e2ec0d586d11ef0f293145a381a4f176125057f2c56cc4bc01b724422ec09", size: 2560),
    ]

    @Test(arguments: cases)
    func `layers are what BuildKit writes`(_ golden: Case) throws {
        let (bytes, layer) = try tar(golden.entries, content: golden.content)
        #expect(layer.diffID.digest.hex == golden.digest)
        #expect(layer.tarSize == golden.size)
        #expect(Int64(bytes.count) == golden.size)
        #expect(layer.blob?.digest == layer.diffID.digest)
        #expect(layer.blob?.size == golden.size)
        #expect(Digest(of: bytes) == layer.diffID.digest)
    }
}
