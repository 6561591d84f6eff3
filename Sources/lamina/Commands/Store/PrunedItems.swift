import Console
import OCI

/// The items that a command of the kind `prune` has removed.
struct PrunedItems {
    /// The kind of the items, as in `Deleted Containers:`.
    let kind: String
    private(set) var items: [String] = []
    private(set) var bytes: Int64 = 0

    init(kind: String) { self.kind = kind }

    mutating func add(_ item: String, _ size: Int64) {
        items.append(item)
        add(bytes: size)
    }

    mutating func add(bytes count: Int64) { bytes = bytes.addingClamped(count) }

    /// The items as a member of a document.
    func member(_ name: String = "deleted") -> (String, JSON?) { (name, .array(items.map(JSON.string))) }

    /// Prints the items below a title, and an empty line.
    func report() {
        guard !items.isEmpty else { return }
        say("Deleted \(kind):")
        items.forEach(say)
        say("")
    }
}
