import Diagnostics
import DockerfileSyntax
import Frontend
import Graph
import Images
import Layers
import Linux
import OCI
import Store
import SystemPackage
import Testing
import Trees

@testable import Engine

/// The checks of the layers of a finished build.
@Suite struct LayerReviewTests {
    private struct NoImages: BaseImageResolver {
        func resolve(_ name: ImageName, platform: Platform) async throws -> ResolvedBase {
            throw EngineError(.corrupt, "there are no images")
        }

        func resolve(layout context: String, platform: Platform) async throws -> ResolvedBase {
            throw EngineError(.corrupt, "there are no layouts")
        }
    }

    /// The warnings about a build whose steps left these layers, bottom first; a size of -1 is a whiteout, -2 an
    /// opaque mark.
    private func review(_ text: String, _ layers: [[(path: String, size: Int64)]]) async throws -> [String] {
        let log = WarningLog()
        let plan = try await lower(
            try Dockerfile(parsing: Array(text.utf8)), BuildOptions(), resolver: NoImages(), log: log)
        let scratch = try Scratch()
        let store = try StoreRoot(at: scratch.path.appending("store"))
        var state = LayerStack()
        for (index, files) in layers.enumerated() {
            let diffID = try DiffID(parsing: "sha256:" + String(repeating: String(index, radix: 16), count: 64))
            let entries = files.map { path, size in
                LayerEntry(
                    path: PathBytes(path), kind: size == -1 ? .whiteout : size == -2 ? .opaque : .regular,
                    size: max(0, size))
            }
            try LayerStorage(store: store).record(diffID, FileList(entries, tarSize: 1024))
            state = state.adding(diffID, created: Timestamp(seconds: 1))
        }
        try LayerReview(plan, state, layers: store.layers).report()
        return log.warnings.map(\.summary)
    }

    private static let threeRuns = "FROM scratch\nRUN a\nRUN b\nRUN c\n"

    @Test func deletedFile() async throws {
        let found = try await review(
            Self.threeRuns, [[("a/big", 5000), ("a/big2", 7)], [("x", 1)], [("a/big", -1)]])
        #expect(
            found == [
                "DeletedLater: This step deletes \"/a/big\", but the layer of line 2 still holds it: "
                    + "5.0 kB of the image; delete it in the step that makes it (line 4)"
            ])
    }

    @Test func deletedDirectoryOfSeveralSteps() async throws {
        let found = try await review(
            Self.threeRuns, [[("a/1", 10), ("ab", 99)], [("a/2", 20), ("a/d/3", 30)], [("a", -1)]])
        #expect(found.count == 1)
        #expect(
            found.first?.contains("deletes 3 files such as \"/a/d/3\", but the layers of lines 2, 3 still hold") == true
        )
        #expect(found.first?.contains("60 bytes") == true)
    }

    @Test func deletedTwiceCountsOnce() async throws {
        let found = try await review(Self.threeRuns, [[("a/1", 10)], [("a/1", -1)], [("a", -1)]])
        #expect(found.map { $0.suffix(8) } == ["(line 3)"])
    }

    @Test func emptiedDirectoryIsNotReplacedFile() async throws {
        let found = try await review(Self.threeRuns, [[("a/1", 10), ("a/2", 5)], [("a", -2), ("a/2", 6)], []])
        #expect(found.count == 1)
        #expect(found.first?.contains("\"/a/1\"") == true)
        #expect(found.first?.contains("10 bytes") == true)
    }

    private typealias Layers = [[(path: String, size: Int64)]]
    private static let clean: [Layers] = [
        [[("a", 5)], [("a", 6)], []], [[("a", 5)], [("b", -1)], []], [[("a", 0)], [("a", -1)], []],
        [[], [("a", 5)], [("ab", -1)]],
    ]

    @Test(arguments: clean.indices) func nothingWasted(_ index: Int) async throws {
        #expect(try await review(Self.threeRuns, Self.clean[index]).isEmpty)
    }

    /// Layers of the base are below those of the Dockerfile, and not its business.
    @Test func filesOfTheBase() async throws {
        #expect(try await review("FROM scratch\nRUN a\n", [[("base", 9)], [("base", -1)]]).isEmpty)
    }

    /// Instruction, the one file in its layer with three bytes, and what is named.
    private static let copies: [(String, String, String?)] = [
        ("COPY . /app", "app/.env", "/app/.env"), ("ADD . /", "id_rsa", "/id_rsa"),
        ("COPY .npmrc /etc/conf", "etc/conf", ".npmrc"), ("COPY . /", "x", nil), ("RUN x", ".env", nil),
        ("COPY <<.env /\nx\n.env", ".env", nil), ("# check=skip=SecretInContext\nCOPY . /", ".env", nil),
    ]

    @Test("A COPY that takes a file named as a secret is warned about", arguments: copies)
    func secrets(_ instruction: String, _ file: String, _ name: String?) async throws {
        let found = try await review("FROM scratch\n\(instruction)\n", [[(file, 3), ("empty/.npmrc", 0)]])
        let keyword = instruction.prefix { $0 != " " }
        let expected = name.map {
            "SecretInContext: \(keyword) takes what looks like a secret into the image: \"\($0)\" (line 2)"
        }
        #expect(found == [expected].compactMap(\.self))
    }
}
