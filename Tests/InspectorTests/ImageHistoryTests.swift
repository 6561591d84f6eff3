import Inspector
import OCI
import Testing

@Suite struct ImageHistoryTests {
    private let id = Digest(of: "config")

    private func config(_ steps: String, layers: Int) -> ImageConfig {
        var config = ImageConfig(platform: .host)
        config.diffIDs = (0..<layers).map { DiffID(Digest(of: "\($0)")) }
        config.history = steps.enumerated().map { index, step in
            History(
                created: Timestamp(seconds: Int64(index)), createdBy: "step \(index)", comment: "note \(index)",
                emptyLayer: step == "-")
        }
        return config
    }

    @Test func stepsAreJoinedWithTheirLayersNewestFirst() {
        let history = ImageHistory(id: id, config: config("L-LL-", layers: 3), layerSizes: [10, 20, 30])
        #expect(history.rows.map(\.createdBy) == (0..<5).reversed().map { "step \($0)" })
        #expect(history.rows.map(\.comment) == (0..<5).reversed().map { "note \($0)" })
        #expect(history.rows.map(\.created?.seconds) == [4, 3, 2, 1, 0])
        #expect(history.rows.map(\.size) == [0, 30, 20, 0, 10])
        #expect(history.rows.map(\.id) == [id, nil, nil, nil, nil])
        #expect(history.rows.map { $0.idText(full: false) } == [id.short] + Array(repeating: "<missing>", count: 4))
        #expect(history.rows[0].idText(full: true) == id.description)
        #expect(
            history.rows.map(\.diffID)
                == [nil, DiffID(Digest(of: "2")), DiffID(Digest(of: "1")), nil, DiffID(Digest(of: "0"))])
    }

    /// Steps as letters, `-` for an empty one; the sizes expected, newest first.
    @Test(arguments: [
        ("", 0, [Int64]()), ("", 2, [2, 1]), ("L", 3, [3, 2, 1]), ("LLL", 1, [0, 0, 1]), ("-L-", 0, [0, 0, 0]),
        ("-", 1, [1, 0]),
    ])
    func contradictionsAreBorne(steps: String, layers: Int, sizes: [Int64]) {
        let history = ImageHistory(
            id: id, config: config(steps, layers: layers), layerSizes: (0..<layers).map { Int64($0 + 1) })
        #expect(history.rows.map(\.size) == sizes)
        #expect(history.rows.first?.id == (sizes.isEmpty ? nil : id))
        #expect(history.rows.dropFirst().allSatisfy { $0.id == nil })
        #expect(history.rows.count { $0.diffID != nil } == layers)
    }

    @Test func layersWithoutASizeCountAsEmpty() {
        #expect(ImageHistory(id: id, config: config("LL", layers: 2), layerSizes: [5]).rows.map(\.size) == [0, 5])
    }
}
