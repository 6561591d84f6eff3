import Diagnostics
package import Linux
package import OCI
import SQLite
package import SystemPackage

/// The files of one layer, unpacked: a lower directory of an overlay.
package struct Snapshot: Hashable, Sendable {
    package let number: Int64
    /// `<root>/snapshots/<number>/fs`: short, as the options of a mount must fit in one page.
    package let directory: FilePath
    package let chainID: ChainID
    package let parent: ChainID?
    package let form: SnapshotForm
}

/// The unpacked layers by the stack of which each is the top.
package struct SnapshotStore: Sendable {
    let root: StoreRoot

    /// The snapshot of a stack's top layer in a form, or in any for `nil`; `nil` when there is none.
    package func snapshot(_ chainID: ChainID, in form: SnapshotForm? = nil) throws -> Snapshot? {
        try snapshots(of: chainID).first { form == nil || $0.form == form }
    }

    /// The snapshots of a stack's top layer in all forms it is there in.
    package func snapshots(of chainID: ChainID) throws -> [Snapshot] {
        let known = try root.read { try $0.snapshots(chainID, root.path) }
        guard !known.isEmpty else { return [] }
        let directory = try root.openDirectory()
        return try known.filter {
            try directory.statusIfExists(Self.contentName($0.number))?.type == .directory
        }
    }

    /// Begins a snapshot. Nothing is visible before it is committed.
    package func prepare() throws -> ActiveSnapshot {
        _ = try root.database()
        let root = root
        return try root.explaining { try ActiveSnapshot(root) }
    }

    static func contentName(_ number: Int64) -> PathBytes { PathBytes("snapshots/\(number)/fs") }
}

/// A snapshot being made. Dropped without a commit, it leaves nothing.
package struct ActiveSnapshot: ~Copyable, Sendable {
    private let root: StoreRoot
    private let name: PathBytes
    private var isMoved = false

    init(_ root: StoreRoot) throws {
        self.root = root
        name = PathBytes("snapshots/\(Leftovers.newName())")
        let directory = try root.openDirectory()
        try directory.makeDirectory(name, permissions: 0o700)
        do {
            try directory.makeDirectory(name.appending("fs"), permissions: 0o755)
            try directory.makeDirectory(name.appending("work"), permissions: 0o700)
        } catch {
            try? directory.removeTree(name)
            throw error
        }
    }

    deinit {
        if !isMoved { Trash.remove(name, of: root.path) }
    }

    /// The directory of the files: the upper directory of an overlay.
    package var upper: FilePath { root.path.appending(name.appending("fs").text) }

    /// An empty directory on the same file system: the work directory of an overlay.
    package var work: FilePath { root.path.appending(name.appending("work").text) }

    /// Makes the snapshot visible as the top of a stack. Nothing may be mounted on it any more.
    ///
    /// If the stack has a snapshot of this form by now, that one is returned and this one dropped.
    ///
    /// - Parameters:
    ///   - chainID: the stack.
    ///   - parent: the stack without its top layer; its snapshot is kept as long as this one is.
    ///   - form: how the files were made.
    /// - Returns: the snapshot of the stack, made by this process or another.
    /// - Throws: ``StoreError``, e.g. `.noSpace`; nothing is left then.
    package consuming func commit(
        as chainID: ChainID, on parent: ChainID? = nil, form: SnapshotForm = .root
    ) throws -> Snapshot {
        let root = root
        let name = name
        var moved: Int64?
        do {
            try root.explaining { try Self.removeWork(name, root) }
            let snapshot = try root.write { transaction in
                if let existing = try transaction.usableSnapshot(chainID, form, root) { return existing }
                let new = try transaction.insertSnapshot(chainID, parent, form, root.path)
                try Self.move(name, to: new.number, root)
                moved = new.number
                return new
            }
            isMoved = moved != nil
            return snapshot
        } catch {
            // The rename happened and the commit of the transaction failed, as on a full disk: take it back.
            if let moved { try? Self.moveBack(moved, to: name, root) }
            throw error
        }
    }

    private static func removeWork(_ name: PathBytes, _ root: StoreRoot) throws {
        var trash = Trash(root: root.path)
        try trash.take(name.appending("work"), from: try root.openDirectory())
        trash.remove()
    }

    private static func move(_ name: PathBytes, to number: Int64, _ root: StoreRoot) throws {
        let directory = try root.openDirectory()
        let target = PathBytes("snapshots/\(number)")
        if try directory.statusIfExists(target) != nil {
            // Left by a process that was killed between this rename and the end of the transaction.
            try directory.rename(target, to: PathBytes("tmp/\(Leftovers.newName())"), in: directory)
        }
        try directory.rename(name, to: target, in: directory)
    }

    private static func moveBack(_ number: Int64, to name: PathBytes, _ root: StoreRoot) throws {
        try root.write { transaction in
            guard try !transaction.exists("SELECT 1 FROM snapshots WHERE number = ?", [number]) else { return }
            let directory = try root.openDirectory()
            try directory.rename(PathBytes("snapshots/\(number)"), to: name, in: directory)
        }
    }
}

extension Transaction {
    func snapshots(_ chainID: ChainID, _ root: FilePath) throws -> [Snapshot] {
        let rows = try rows(
            "SELECT number, parent, form FROM snapshots WHERE chain_id = ? ORDER BY number", [chainID.description])
        return try rows.compactMap { row -> Snapshot? in
            guard let form = SnapshotForm(text: try row[2]) else { return nil }
            return Snapshot(
                number: try row[0], directory: root.appending(SnapshotStore.contentName(try row[0]).text),
                chainID: chainID,
                parent: try (row[1] as String?).map { try ChainID(parsing: $0) }, form: form)
        }
    }

    /// The snapshot of a stack if its directory is there; a row whose directory is gone is dropped.
    fileprivate func usableSnapshot(_ chainID: ChainID, _ form: SnapshotForm, _ root: StoreRoot) throws -> Snapshot? {
        guard let snapshot = try snapshots(chainID, root.path).first(where: { $0.form == form }) else { return nil }
        let name = SnapshotStore.contentName(snapshot.number)
        if try root.openDirectory().statusIfExists(name)?.type == .directory { return snapshot }
        try execute("DELETE FROM snapshots WHERE number = ?", [snapshot.number])
        return nil
    }

    fileprivate func insertSnapshot(
        _ chainID: ChainID, _ parent: ChainID?, _ form: SnapshotForm, _ root: FilePath
    ) throws -> Snapshot {
        try execute(
            "INSERT INTO snapshots (chain_id, parent, form, generation) VALUES (?, ?, ?, ?)",
            [chainID.description, parent?.description, form.text, stamp()])
        let number = db.lastInsertedRow
        return Snapshot(
            number: number, directory: root.appending(SnapshotStore.contentName(number).text), chainID: chainID,
            parent: parent, form: form)
    }
}
