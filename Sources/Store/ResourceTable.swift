import Linux
import OCI
import SQLite

/// The blobs, snapshots and file lists of the store by number, with their sizes and with who needs them.
struct ResourceTable: Sendable {
    enum Kind: Sendable {
        case blob
        case snapshot
        case fileList
    }

    private(set) var kinds: [Kind] = []
    /// In bytes.
    private(set) var sizes: [Int64] = []
    /// Whether an image with a name needs it.
    var isNamed: [Bool] = []
    /// How many stacks and records of the ledger need it.
    var users: [Int] = []

    private var blobs: [Digest: Int] = [:]
    /// A stack may have snapshots of several forms.
    private var snapshots: [ChainID: [(snapshot: Int64, number: Int)]] = [:]
    private var lists: [DiffID: Int] = [:]
    private var blobsOfLayer: [DiffID: [Int]] = [:]
    private var contentSizes: [DiffID: Int64] = [:]

    /// Takes down all rows. The sizes of snapshots are known when a stack has led to them; see ``numbers(of:)``.
    init(_ transaction: Transaction) throws {
        for (digest, size) in try transaction.blobSizes() { blobs[digest] = add(.blob, size) }
        for row in try transaction.rows("SELECT chain_id, number FROM snapshots") {
            snapshots[try ChainID(parsing: row[0] as String), default: []].append(try (row[1], add(.snapshot, -1)))
        }
        for row in try transaction.rows("SELECT diff_id, content_size FROM layers") {
            let diffID = try DiffID(parsing: row[0] as String)
            lists[diffID] = add(.fileList, 0)
            contentSizes[diffID] = try row[1]
        }
        for row in try transaction.rows("SELECT diff_id, digest FROM layer_blobs") {
            guard let number = blobs[try Digest(parsing: row[1] as String)] else { continue }
            blobsOfLayer[try DiffID(parsing: row[0] as String), default: []].append(number)
        }
    }

    private mutating func add(_ kind: Kind, _ size: Int64) -> Int {
        kinds.append(kind)
        sizes.append(size)
        isNamed.append(false)
        users.append(0)
        return kinds.count - 1
    }

    /// The numbers of blobs, as far as they are here.
    func numbers(of digests: some Sequence<Digest>) -> [Int] { Array(Set(digests.compactMap { blobs[$0] })) }

    /// The parts of the store that hold a layer as the top of a stack: its blobs, its list and its directories.
    mutating func numbers(of node: LayerForest.Node) -> [Int] {
        var numbers = blobsOfLayer[node.layer] ?? []
        if let list = lists[node.layer] { numbers.append(list) }
        for (_, snapshot) in snapshots[node.chain] ?? [] {
            numbers.append(snapshot)
            if sizes[snapshot] < 0, let size = contentSizes[node.layer] { sizes[snapshot] = size }
        }
        return numbers
    }

    /// Measures on disk what the database has no size of: file lists, and snapshots that no stack has led to.
    mutating func measureTheRest(_ root: StoreRoot, _ transaction: Transaction) throws {
        let directory = try root.openDirectory()
        for (diffID, number) in lists {
            sizes[number] = try directory.statusIfExists(LayerIndex.fileListName(diffID))?.size ?? 0
        }
        for (snapshot, number) in snapshots.values.joined() where sizes[number] < 0 {
            sizes[number] = TreeSize(of: SnapshotStore.contentName(snapshot), in: directory).bytes
        }
    }

    /// The number and the sum of the sizes of those that fulfil a condition.
    func sum(where condition: (Int) -> Bool) -> DiskUsage.Amount {
        var amount = DiskUsage.Amount()
        for number in sizes.indices where condition(number) { amount.add(sizes[number]) }
        return amount
    }
}
