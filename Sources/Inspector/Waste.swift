package import Linux

/// Why bytes that a layer stores are not in the image's file system.
package enum WasteReason: String, Hashable, Sendable, CaseIterable {
    /// A later layer put something else at the path.
    case overwritten
    /// A later layer stored the same content again, since only owner, permissions, times or attributes changed.
    case metadataOnly = "metadata-only"
    /// A later layer removed the path or a directory above it.
    case deleted
    /// A later layer replaced a directory above the path by a new one.
    case opaque

    /// The place of the reason in ``ReclaimableBytes``.
    var slot: Int {
        switch self {
        case .overwritten: 0
        case .metadataOnly: 1
        case .deleted: 2
        case .opaque: 3
        }
    }
}

/// A number of files and the bytes of their contents.
package struct FileTally: Hashable, Sendable {
    package internal(set) var count: Int
    package internal(set) var bytes: Int64

    package init(count: Int = 0, bytes: Int64 = 0) {
        self.count = count
        self.bytes = bytes
    }

    mutating func add(_ bytes: Int64) {
        count += 1
        self.bytes &+= bytes
    }
}

/// Bytes that would be saved had they never been stored, by reason.
package struct ReclaimableBytes: Hashable, Sendable {
    private var slots: [Int64]

    init() { slots = [Int64](repeating: 0, count: WasteReason.allCases.count) }

    package internal(set) subscript(reason: WasteReason) -> Int64 {
        get { slots[reason.slot] }
        set { slots[reason.slot] = newValue }
    }

    package var total: Int64 { slots.reduce(0, &+) }
}

/// The bytes of one layer that another made useless, for one reason.
package struct Waste: Hashable, Sendable {
    /// The index of the layer that stores the bytes; 0 is the bottom.
    package let holder: Int
    /// The index of the layer that made them useless.
    package let cause: Int
    package let reason: WasteReason
    package internal(set) var files: FileTally
}

/// A path that layers store in vain.
package struct WastedPath: Hashable, Sendable {
    package let path: PathBytes
    /// Of all useless copies together.
    package let bytes: Int64
    /// The number of useless copies.
    package let count: Int
    /// Each reason once, in the order of ``WasteReason``.
    package let reasons: [WasteReason]
}
