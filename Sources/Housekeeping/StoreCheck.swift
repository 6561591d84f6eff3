import Diagnostics
import Images
import Layers
import Linux
import OCI
package import Store
import SystemPackage

/// Something in the store that is not as it should be.
package struct StoreDefect: Sendable {
    package enum Remedy: Hashable, Sendable {
        /// Reported only: a repair was not asked for.
        case none
        /// The action.
        case done(String)
        /// It cannot be made good here: what the user can do.
        case beyondRepair(String)
    }

    /// E.g. `blob sha256:…`.
    package let subject: String
    /// The defect, as the rest of a sentence about the subject.
    package let problem: String
    package let remedy: Remedy

    package var isRepaired: Bool { if case .done = remedy { true } else { false } }
}

/// The result of a check.
package struct StoreCheckResult: Sendable {
    package internal(set) var blobs = 0
    package internal(set) var layers = 0
    package internal(set) var snapshots = 0
    package internal(set) var cacheRecords = 0
    package internal(set) var images = 0
    package internal(set) var builds = 0
    package internal(set) var defects: [StoreDefect] = []
}

/// Looks whether all is in the store that its database says, and whether it is what the database says.
///
/// Each blob is read, and each layer blob unpacked, to compare digests. A snapshot is compared with the list of its
/// layer's files by names, kinds, sizes and modes, and on request by content. A layer that is nowhere in the store but
/// has a source elsewhere is no defect, and neither are files that no row accounts for: killed processes leave them,
/// and the collector removes them.
package final class StoreCheck {
    let store: StoreRoot
    let storage: LayerStorage
    let repairs: Bool
    let readsFiles: Bool
    let report: (StoreDefect) -> Void
    var result = StoreCheckResult()

    /// The images and the results of steps as they were at the start, before anything was looked at that they need: a
    /// build that runs meanwhile makes new ones of what was not there yet.
    var images: [StoredImage] = []
    var roots: [ImageRoot] = []
    var cacheRecords: [CacheRecord] = []
    /// Stacks whose layers are all whole, or to be had elsewhere.
    var wholeStacks: Set<ChainID> = []
    /// The blobs that are whole.
    var goodBlobs: Set<Digest> = []
    /// The blobs whose files are there, and not whole.
    var damagedBlobs: Set<Digest> = []
    /// The lists that are whole.
    var lists: [DiffID: FileList] = [:]
    /// Stacks of all of whose layers the lists are whole.
    var listedStacks: Set<ChainID> = []
    /// The snapshots that are whole.
    var goodSnapshots: Set<ChainID> = []
    /// The snapshots that are not whole.
    var damagedSnapshots: Set<ChainID> = []
    /// The stacks that images and results of steps need, by the chain ID of their top layer.
    var stacks: [ChainID: Stack] = [:]
    let trees: LayerTreeCache

    /// A stack of layers.
    struct Stack {
        /// The top layer.
        let diffID: DiffID
        /// The layers below.
        let below: LayerStack
        /// Whether an image needs the stack, and not only results of steps.
        let isOfImage: Bool
    }

    /// - Parameters:
    ///   - store: opened for changes if `repairs` is set.
    ///   - repairs: whether to make good what can be.
    ///   - readsFiles: whether to read the files of snapshots.
    ///   - report: is told of each defect as it comes up.
    package init(
        _ store: StoreRoot, repairs: Bool, readsFiles: Bool, report: @escaping (StoreDefect) -> Void
    ) {
        self.store = store
        storage = LayerStorage(store: store)
        trees = LayerTreeCache(store.layers)
        self.repairs = repairs
        self.readsFiles = readsFiles
        self.report = report
    }

    /// Checks, and keeps the collector away meanwhile.
    ///
    /// Throws ``HousekeepingError`` `.storeInUse` when something is to be repaired while a build runs.
    package func run() throws -> StoreCheckResult {
        let lease: StoreLease? =
            if repairs { try store.exclusiveLease() } else if store.mode == .readWrite { try store.lease() } else {
                nil
            }
        if repairs, lease == nil {
            throw HousekeepingError(
                .storeInUse, "the store is in use and cannot be repaired now",
                hint: "Wait until the builds that run have ended, or check without --repair.")
        }
        try checkDatabase()
        try collectStacks()
        let broken = try checkBlobs()
        try checkLayers()
        try checkLayerBlobs()
        try checkSnapshots()
        try restore(broken)
        try checkCache()
        try checkImages()
        try checkBuilds()
        _ = consume lease
        if repairs { _ = try store.collector.collect() }
        return result
    }

    /// The end of a sentence about an image of which a damaged copy is left.
    static let wayToNewCopy =
        "remove the image, run 'lamina fsck --repair' again and build, pull or load it"

    private func checkDatabase() throws {
        for problem in try store.databaseDefects() {
            found("database", problem, .beyondRepair("remove the store's directory and build or pull again"))
        }
    }

    /// Notes a defect, and repairs it if that is wanted.
    ///
    /// - Parameters:
    ///   - subject: what is broken.
    ///   - problem: what is wrong with it.
    ///   - repair: makes it good and says how.
    /// - Throws: what `repair` throws.
    func found(_ subject: String, _ problem: String, repair: () throws -> StoreDefect.Remedy) throws {
        found(subject, problem, repairs ? try repair() : .none)
    }

    func found(_ subject: String, _ problem: String, _ remedy: StoreDefect.Remedy) {
        let defect = StoreDefect(subject: subject, problem: problem, remedy: remedy)
        result.defects.append(defect)
        report(defect)
    }

    private func collectStacks() throws {
        roots = try store.images.roots()
        var seen: Set<Digest> = []
        images = roots.sorted { !$0.names.isEmpty && $1.names.isEmpty }.flatMap(\.images)
            .filter { seen.insert($0.manifest?.digest ?? $0.id).inserted }
        cacheRecords = try store.cache.list()
        for image in images { add(LayerStack(ofImage: image.diffIDs), isOfImage: true) }
        for record in cacheRecords { add(record.stack, isOfImage: false) }
    }

    /// Adds a stack and all that it consists of.
    private func add(_ stack: LayerStack, isOfImage: Bool) {
        var next = stack
        while let layer = next.top, let chain = next.chainID, let below = next.below, stacks[chain] == nil {
            stacks[chain] = Stack(diffID: layer.diffID, below: below, isOfImage: isOfImage)
            next = below
        }
    }
}
