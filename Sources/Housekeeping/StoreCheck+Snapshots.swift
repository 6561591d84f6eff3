import Diagnostics
import Images
import Layers
import Linux
import OCI
import Solver
import Store
import Trees

extension StoreCheck {
    /// Compares the directories of unpacked layers with the lists of their files.
    func checkSnapshots() throws {
        for snapshot in try store.snapshots.all() {
            result.snapshots += 1
            guard let problem = try problem(of: snapshot), try !isWhole(snapshot) else {
                goodSnapshots.insert(snapshot.chainID)
                continue
            }
            damagedSnapshots.insert(snapshot.chainID)
            try found("snapshot \(snapshot.number)", problem) { try repair(snapshot) }
        }
    }

    /// Takes a damaged snapshot out of use, unless it is all that an image has of a layer.
    private func repair(_ snapshot: Snapshot) throws -> StoreDefect.Remedy {
        guard let stack = stacks[snapshot.chainID], try !store.layers.isWithinReach(stack.diffID, among: goodBlobs)
        else {
            try store.snapshots.remove(snapshot)
            return .done("removed; it is unpacked again when it is needed")
        }
        guard !stack.isOfImage else {
            return .beyondRepair("left as it is, the only copy of a layer of an image: \(Self.wayToNewCopy)")
        }
        let path = try store.snapshots.setAside(snapshot)
        return .done(path.map { "taken out of use; its files are in \($0)" } ?? "forgotten")
    }

    /// The tree of the layers below a stack's top layer; `nil` when the list of one is not here.
    func tree(below stack: Stack) throws -> LayerTree? {
        hasLists(of: stack.below) ? try trees.tree(of: stack.below) : nil
    }

    private func hasLists(of stack: LayerStack) -> Bool {
        var new: [ChainID] = []
        var next = stack
        while let layer = next.top, let chain = next.chainID, let below = next.below, !listedStacks.contains(chain) {
            guard lists[layer.diffID] != nil else { return false }
            new.append(chain)
            next = below
        }
        listedStacks.formUnion(new)
        return true
    }

    /// Whether a snapshot's directory gives the digest of its layer, whatever else seems to be wrong with it.
    private func isWhole(_ snapshot: Snapshot) throws -> Bool {
        guard let stack = stacks[snapshot.chainID] else { return false }
        return try layer(of: snapshot, stack, to: LayerWriter())?.diffID == stack.diffID
    }

    /// Makes the layer that a snapshot's directory holds anew; `nil` when it cannot be read.
    func layer(of snapshot: Snapshot, _ stack: Stack, to writer: consuming LayerWriter) throws -> WrittenLayer? {
        guard let below = try tree(below: stack) else { return nil }
        return try? LayerStorage.layer(of: snapshot.directory, snapshot.form.marks.overlay, on: below, to: writer)
    }

    private func problem(of snapshot: Snapshot) throws -> String? {
        let directory: Directory
        do { directory = try Directory(opening: snapshot.directory) } catch {
            return (error as? LinuxError)?.code == .notFound ? "is missing" : "cannot be read: \(describe(error))"
        }
        // A snapshot that nothing needs has no list to be compared with.
        guard let stack = stacks[snapshot.chainID], let list = lists[stack.diffID] else { return nil }
        let files: [PathBytes: LayerEntry]
        do {
            let marks = snapshot.form.marks.overlay
            files = readsFiles ? try Self.filesWithContent(of: directory, marks) : try Self.files(of: directory, marks)
        } catch {
            return "cannot be read: \(describe(error))"
        }
        let comparison = SnapshotComparison(
            list: list, files: files, below: try tree(below: stack), readsFiles: readsFiles)
        let marks = snapshot.form.marks.overlay
        let path = snapshot.directory
        return comparison.firstDifference {
            (try? marks.isOpaque($0.parent, in: Directory(opening: path))) ?? false
        }
    }

    private static func filesWithContent(
        of directory: borrowing Directory, _ marks: OverlayMarks
    ) throws -> [PathBytes: LayerEntry] {
        var writer = LayerWriter()
        try LayerDiffer(marks).diff(directory, into: &writer)
        return index(try writer.finish().files.decoded().entries)
    }

    private static func files(
        of directory: borrowing Directory, _ marks: OverlayMarks
    ) throws -> [PathBytes: LayerEntry] {
        var differ = LayerDiffer(marks)
        differ.readsAttributes = false
        return index(try differ.find(directory).map(\.entry))
    }

    private static func index(_ entries: [LayerEntry]) -> [PathBytes: LayerEntry] {
        Dictionary(entries.filter { $0.kind != .opaque }.map { ($0.path, $0) }) { $1 }
    }
}
