import Glibc
import Linux
import OCI
import Store
import SystemPackage

/// A store in a directory of its own, which is removed at the end.
final class StoreFixture {
    let path: FilePath
    private let parent: Directory
    private let name: PathBytes

    init() throws {
        // A file system in memory, where there is one: tests sync often.
        let base: FilePath = (try? Directory(opening: "/dev/shm")) != nil ? "/dev/shm" : "/tmp"
        parent = try Directory(opening: base)
        name = PathBytes("store-test-\(ProcessIdentity.current)-\(UInt64.random(in: 0...UInt64.max))")
        try parent.makeDirectory(name, permissions: 0o700)
        path = base.appending(name.text).appending("root")
    }

    deinit {
        // A sweep in the background may be deleting in there, too: then one of the two finds things gone.
        for _ in 0..<10 where (try? parent.removeTree(name)) == nil { usleep(10000) }
    }

    func open(_ mode: StoreRoot.Mode = .readWrite, boot: String? = nil) throws -> StoreRoot {
        try StoreRoot(at: path, mode: mode, bootID: boot)
    }

    func names(_ folder: String) throws -> [String] {
        try Directory(opening: path.appending(folder)).names().map(\.text)
    }

    func exists(_ name: String) throws -> Bool { try Directory(opening: path).statusIfExists(PathBytes(name)) != nil }
}

extension StoreRoot {
    /// A committed snapshot with one file of the given size, whose layer is made up.
    func snapshot(_ text: String, on parent: ChainID? = nil, bytes: Int = 10) throws -> (Snapshot, DiffID) {
        let diffID = DiffID(Digest(of: text))
        let active = try snapshots.prepare()
        try makeFile("file", bytes: bytes, in: active.upper)
        return (try active.commit(as: ChainID(diffID, on: parent), on: parent), diffID)
    }

    /// An image with one layer, which is recorded and has a blob and a snapshot.
    func image(_ text: String) throws -> StoredImage {
        let layer = try content.save(Array("layer \(text)".utf8))
        let (_, diffID) = try snapshot("diff \(text)")
        try layers.record(LayerRecord(diffID: diffID, contentSize: 10, fileCount: 1), fileList: Array(text.utf8))
        try layers.addBlob(Descriptor(mediaType: .ociLayer, digest: layer, size: 1), of: diffID)
        let config = try content.save(Array("config \(text)".utf8))
        return StoredImage(
            id: config, platform: .host, created: Timestamp(seconds: Int64(text.utf8.count)), diffIDs: [diffID],
            size: 100)
    }

    /// Whether all is there that ``image(_:)`` made.
    func isWhole(_ image: StoredImage) throws -> Bool {
        guard try content.bytes(of: image.id) != nil else { return false }
        var chain: ChainID?
        for diffID in image.diffIDs {
            let next = ChainID(diffID, on: chain)
            guard try layers.fileList(diffID) != nil, try snapshots.snapshot(next) != nil,
                let blob = try layers.blobs(of: diffID).first, try content.contains(blob.digest)
            else { return false }
            chain = next
        }
        return true
    }
}

func makeFile(_ name: String, bytes: Int, in directory: FilePath) throws {
    let file = try OwnedDescriptor.open(
        directory.appending(name), .writeOnly, options: .create, permissions: FilePermissions(rawValue: 0o644))
    try file.write([UInt8](repeating: 7, count: bytes).span)
}

/// Makes the same twenty images as every other process.
func work(inStoreAt path: String) throws {
    let root = try StoreRoot(at: FilePath(path))
    let lease = try root.lease()
    for number in 0..<20 {
        let image = try root.image("image \(number)")
        try root.images.save(image, as: [try reference("name\(number)")])
    }
    _ = consume lease
}

func reference(_ text: String) throws -> ImageReference { try ImageReference(parsing: text) }
