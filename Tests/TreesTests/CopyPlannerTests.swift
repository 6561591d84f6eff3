import Graph
import Layers
import Linux
import OCI
import Testing

@testable import Trees

@Suite struct CopyPlannerTests {
    private static func tree(_ entries: LayerEntry...) throws -> LayerTree {
        try LayerTree().adding(DiffID(Digest(of: "1")), FileList(entries, tarSize: 0))
    }

    private func unpacked(
        _ archive: LayerTree, on base: LayerTree = LayerTree(), owner: FileOwner? = nil
    ) throws -> [String] {
        let planner = try CopyPlanner(
            CopyOperation(sources: [], destination: "/x/", archives: .unpack), owner: owner, now: FileTime(seconds: 1))
        var draft = LayerDraft(on: base)
        try planner.unpack(LayerFileTree(tree: archive, directories: []), copy: 1, into: &draft)
        return draft.entries.sorted { $0.precedes($1) }
            .map { "\($0.path) \(String($0.permissions, radix: 8)) \($0.owner):\($0.group)" }
    }

    @Test func directoriesThatAnArchiveOnlyImpliesStayRoots() throws {
        let archive = try Self.tree(
            LayerEntry(path: "a/b/f", kind: .regular, permissions: 0o600),
            LayerEntry(path: "c", kind: .directory, permissions: 0o700),
            LayerEntry(path: "c/f", kind: .regular, permissions: 0o644))
        #expect(
            try unpacked(archive, owner: FileOwner(uid: 5, gid: 6)) == [
                "x 755 5:6", "x/a 755 0:0", "x/a/b 755 0:0", "x/a/b/f 600 5:6", "x/c 700 5:6", "x/c/f 644 5:6",
            ])
    }

    @Test func directoriesThatAnArchiveOnlyImpliesStayAsTheyAre() throws {
        let base = try Self.tree(
            LayerEntry(path: "x", kind: .directory, permissions: 0o711, owner: 1, group: 2),
            LayerEntry(path: "x/a", kind: .directory, permissions: 0o700, owner: 3, group: 4),
            LayerEntry(path: "x/c", kind: .regular, permissions: 0o600, owner: 3, group: 4))
        let archive = try Self.tree(
            LayerEntry(path: "a/f", kind: .regular, permissions: 0o600),
            LayerEntry(path: "c/f", kind: .regular, permissions: 0o644))
        #expect(
            try unpacked(archive, on: base, owner: FileOwner(uid: 5, gid: 6)) == [
                "x 711 1:2", "x/a 700 3:4", "x/a/f 600 5:6", "x/c 755 0:0", "x/c/f 644 5:6",
            ])
    }
}
