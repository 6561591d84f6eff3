import Inspector
import Layers
import Linux
import Testing

@Suite struct ImageTreeTests {
    @Test func theTableIsThere() { #expect(treeLayouts.count > 10) }

    @Test("The tree of a layer has the expected changes and sizes", arguments: treeLayouts)
    func layout(_ layout: Layout) throws {
        let tree = ImageTree(layers: layout.layers.map { PackedFileList(FileList($0, tarSize: 0)) })
        for (keyword, mode) in [("tree", TreeComparison.Mode.layer), ("all", .aggregated)] {
            let lines = layout.expected[keyword] ?? []
            for layer in Set(lines.compactMap { Int($0.prefix { $0 != " " }) }) {
                let comparison = TreeComparison(tree, layer: layer, mode: mode)
                let found = (1..<tree.count).compactMap { node in
                    comparison.change(of: node).map {
                        "\(layer) \($0) \(tree.path(of: node)) \(comparison.size(of: node))"
                    }
                }
                #expect(found == lines.filter { $0.hasPrefix("\(layer) ") })
            }
        }
    }

    @Test func nodesAreInTheOrderOfAWalk() {
        let paths = ["b/x", "a-b", "a/z", "a", "a/y/1", "c"].map { PathBytes($0) }
        let lists = paths.map { FileList([LayerEntry(path: $0, kind: .fifo)], tarSize: 0) }
        let tree = ImageTree(layers: lists.map(PackedFileList.init))
        let walk = (1..<tree.count).map { tree.path(of: $0).text }
        #expect(walk == ["a", "a/y", "a/y/1", "a/z", "a-b", "b", "b/x", "c"])
        #expect((0..<tree.count).map(tree.end) == [9, 5, 4, 4, 5, 6, 8, 8, 9])
        #expect((0..<tree.count).map(tree.depth) == [0, 1, 2, 3, 2, 1, 1, 2, 1])
        #expect((1..<tree.count).map { String(decoding: tree.name(of: $0), as: UTF8.self) }.joined() == "ay1za-bbxc")
        #expect(tree.children(of: 0) == [1, 5, 6, 8])
        #expect(tree.node(at: "a/y/1") == 3)
        #expect(tree.node(at: "nothing") == nil)
    }

    @Test func filesOfAllLayersAreKnown() throws {
        let lists = [
            FileList([LayerEntry(path: "d/a", kind: .regular, size: 1)], tarSize: 0),
            FileList([LayerEntry(path: "d", kind: .whiteout)], tarSize: 0),
            FileList([LayerEntry(path: "d/a", kind: .regular, size: 2)], tarSize: 0),
        ]
        let tree = ImageTree(layers: lists.map(PackedFileList.init))
        let node = try #require(tree.node(at: "d/a"))
        #expect(tree.files(at: node).map(\.layer) == [0, 2])
        #expect((-1...2).map { tree.file(at: node, after: $0)?.layer } == [nil, 0, nil, 2])
        #expect((0...2).map { tree.layer($0, holds: node) } == [true, false, true])
        let directory = try #require(tree.node(at: "d"))
        let file = try #require(tree.file(at: directory, after: 2))
        #expect(file.entry == nil)
        #expect(tree.entry(of: file, at: directory).permissions == 0o755)
    }

    private static let tree = ImageTree(
        layers: [
            FileList(
                [("a/big", 50), ("a/small", 1), ("b/middle", 20), ("c", 5), ("d/e", 0)].map {
                    LayerEntry(path: PathBytes($0), kind: .regular, size: $1)
                }, tarSize: 0),
            FileList(
                [
                    LayerEntry(path: "b", kind: .whiteout), LayerEntry(path: "c", kind: .regular, size: 6),
                    LayerEntry(path: "a/new", kind: .regular, size: 7),
                ], tarSize: 0),
        ].map(PackedFileList.init))

    /// An edit of a regular file, with the change that the tree shows for it.
    struct Edit: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var change = FileChange.modified
        let apply: @Sendable (inout LayerEntry) -> Void

        static let all = [
            Edit(testDescription: "none", change: .unmodified) { _ in },
            Edit(testDescription: "time", change: .unmodified) { $0.modified = FileTime(seconds: 5, nanoseconds: 7) },
            Edit(testDescription: "permissions") { $0.permissions = 0o600 },
            Edit(testDescription: "owner") { $0.owner = 1 },
            Edit(testDescription: "group") { $0.group = 300 },
            Edit(testDescription: "size") { $0.size = 300 },
            Edit(testDescription: "content") { $0.contentHash = 1 << 56 },
            Edit(testDescription: "new attribute") {
                $0.attributes.append(ExtendedAttribute(name: "user.b", value: []))
            },
            Edit(testDescription: "value of an attribute") {
                $0.attributes = [ExtendedAttribute(name: "user.a", value: [2])]
            },
            Edit(testDescription: "no attributes") { $0.attributes = [] },
            Edit(testDescription: "kind") { $0 = LayerEntry(path: $0.path, kind: .fifo, permissions: $0.permissions) },
        ]
    }

    @Test("A file is modified by anything but its time", arguments: Edit.all, [false, true])
    func edit(_ edit: Edit, isAmongOthers: Bool) throws {
        var old = LayerEntry(path: "m", kind: .regular, permissions: 0o644, owner: 7, group: 9, size: 3)
        old.attributes = [ExtendedAttribute(name: "user.a", value: [1])]
        var new = old
        edit.apply(&new)
        // Neighbours decide how the owner is recorded, and where the entry ends.
        var others = [new]
        if isAmongOthers {
            others = [
                LayerEntry(path: "a", kind: .regular, permissions: 0o644, owner: new.owner, group: new.group), new,
                LayerEntry(path: "z", kind: .regular, size: 1),
            ]
        }
        let tree = ImageTree(layers: [
            PackedFileList(FileList([old], tarSize: 0)), PackedFileList(FileList(others, tarSize: 0)),
        ])
        let comparison = TreeComparison(tree, layer: 1)
        let node = try #require(tree.node(at: "m"))
        #expect(comparison.change(of: node) == edit.change && comparison.size(of: node) == new.size)
    }

    @Test func linksAndDevicesAreModifiedByWhatTheyLeadTo() throws {
        func entries(_ target: PathBytes, _ minor: UInt32) -> PackedFileList {
            var link = LayerEntry(path: "link", kind: .symlink)
            link.linkTarget = target
            var device = LayerEntry(path: "device", kind: .characterDevice)
            (device.deviceMajor, device.deviceMinor) = (1, minor)
            return PackedFileList(FileList([device, link], tarSize: 0))
        }
        let tree = ImageTree(layers: [entries("a", 3), entries("b", 3), entries("b", 5), entries("b", 5)])
        let (link, device) = (try #require(tree.node(at: "link")), try #require(tree.node(at: "device")))
        let found = (1...3).map { layer in
            let comparison = TreeComparison(tree, layer: layer)
            return [comparison.change(of: link), comparison.change(of: device)]
        }
        #expect(found == [[.modified, .unmodified], [.unmodified, .modified], [.unmodified, .unmodified]])
    }

    private func rows(
        collapsed: [String] = [], hidden: Set<FileChange> = [], matching text: String? = nil,
        order: TreeRows.Order = .name
    ) throws -> [String] {
        let tree = Self.tree
        var flags = [Bool](repeating: false, count: tree.count)
        for path in collapsed { flags[try #require(tree.node(at: PathBytes(path)))] = true }
        let matches = try text.map { text in
            var matcher = try PathMatcher(PathPattern(regularExpression: text))
            return try matcher.matches(in: tree)
        }
        let rows = TreeRows(
            tree, TreeComparison(tree, layer: 1), collapsed: flags, hidden: hidden, matches: matches, order: order)
        return rows.nodes.map { tree.path(of: Int($0)).text }
    }

    @Test func rowsAreTheOpenDirectoriesInTheirOrder() throws {
        let all = ["a", "a/big", "a/new", "a/small", "b", "b/middle", "c", "d", "d/e"]
        #expect(try rows() == all)
        #expect(try rows(collapsed: ["a", "d"]) == ["a", "b", "b/middle", "c", "d"])
        #expect(
            try rows(order: .size) == ["a", "a/big", "a/new", "a/small", "b", "b/middle", "c", "d", "d/e"])
        #expect(try rows(collapsed: ["a"], order: .size) == ["a", "b", "b/middle", "c", "d", "d/e"])
        #expect(try rows(collapsed: ["a"], order: .largest) == ["a/big", "b/middle", "a/new", "c", "a/small"])
    }

    @Test func hiddenChangesTakeTheirDirectoriesAlong() throws {
        #expect(try rows(hidden: [.unmodified]) == ["a", "a/new", "b", "b/middle", "c"])
        #expect(try rows(hidden: [.unmodified, .removed, .modified]) == ["a", "a/new"])
        #expect(try rows(hidden: Set(FileChange.allCases)) == [])
    }

    @Test func aPatternShowsWhatMatchesAndTheWayToIt() throws {
        #expect(try rows(matching: "small|middle") == ["a", "a/small", "b", "b/middle"])
        #expect(try rows(hidden: [.removed], matching: "small|middle") == ["a", "a/small"])
        #expect(try rows(matching: "^d$") == ["d"])
        #expect(try rows(matching: "nowhere") == [])
    }
}
