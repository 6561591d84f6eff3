import Diagnostics
import Engine
import Execution
import Frontend
import Linux
import OCI
import Requests
import SystemPackage
import Testing
import Trees

/// Cached results equal fresh ones: random trees and Dockerfiles, edited at random.
@Suite(.enabled(if: IsolationModes.probe().best != nil, "RUN needs root with CAP_SYS_ADMIN"))
struct CacheEqualityTests {
    private static let rounds = 8

    @Test(arguments: [1, 2] as [UInt64]) func cachedEqualsUncached(seed: UInt64) async throws {
        let (cached, uncached) = (try KeyFixture(), try KeyFixture())
        let scratch = try Scratch()
        var world = RandomWorld(seed: seed)
        var built = 0
        for round in 0..<Self.rounds {
            world.edit()
            let setup = world.setup
            let (left, right) = (scratch.path.appending("\(round).a"), scratch.path.appending("\(round).b"))
            var anew = setup
            anew.noCache = .all
            let expected = try await result(of: anew, in: uncached, right)
            let actual = try await result(of: setup, in: cached, left)
            #expect(actual == expected, "round \(round):\n\(setup.dockerfile)\n\(setup.files)")
            if !expected.contains(where: { $0.hasPrefix("error: ") }) { built += 1 }
        }
        #expect(built > Self.rounds / 2)
    }

    /// The files of the result, or why there is none: some trees do not fit into each other.
    private func result(of setup: KeySetup, in fixture: KeyFixture, _ archive: FilePath) async throws -> [String] {
        do { _ = try await fixture.build(setup, output: .tar(archive)) } catch let error as any AnyFailure {
            return ["error: \(error.message)"]
        }
        return try FileLines.describe(archive)
    }
}

/// A small tree and a Dockerfile that looks at it.
private struct RandomWorld {
    private var random: SplitMix
    /// The files by path, each as the rest of a line of ``FileLines`` with its letter.
    private var files: [String: (letter: String, rest: String)] = [:]
    private var dockerfile = 0
    private var variable = 0

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        for _ in 0..<6 { addFile() }
    }

    private static let names = ["a", "b", "c.txt", "d.log"]
    private static let directories = ["", "x/", "y/", "x/z/"]

    private mutating func pick<Element>(_ items: [Element]) -> Element {
        items[Int(random.next() % UInt64(items.count))]
    }

    private mutating func addFile() {
        let path = pick(Self.directories) + pick(Self.names)
        switch random.next() % 5 {
        case 0: files[path] = ("l", "777 \(pick(["a", "nowhere", "x", "/etc/passwd"]))")
        case 1: files[path] = ("d", pick(["755", "700"]))
        default: files[path] = ("f", "\(pick(["644", "600", "755"])) \(pick(["one", "two", "three"]))")
        }
    }

    mutating func edit() {
        switch random.next() % 8 {
        case 0: dockerfile = Int(random.next() % 4)
        case 1: variable = Int(random.next() % 3)
        case 2, 3: if let path = files.keys.sorted().randomElement(using: &random) { files[path] = nil }
        default: addFile()
        }
    }

    var setup: KeySetup {
        var setup = KeySetup()
        // What stands below something that is no directory is left out.
        var lines = ["d x 755", "d x/z 755", "d y 755", "f keep 644 kept"]
        for (path, file) in files.sorted(by: { $0.key < $1.key }) {
            lines.append("\(file.letter) \(path) \(file.rest)")
        }
        setup.files = lines
        let listing = "find /in /out -exec stat -c '%n %a %u %s' {} + 2>/dev/null | sort >/listing"
        let head = "FROM lamina/base AS one\nCOPY . /in\nRUN mkdir -p /out && cp -a /in/x /out/ && rm -rf /in/y"
        let tails = [
            "FROM lamina/base\nCOPY --from=one /in /in\nCOPY x y /out/\nRUN \(listing)",
            "FROM one\nENV V=\(variable)\nCOPY --exclude=**/*.log . /in\nRUN echo $V >/v; \(listing)",
            "FROM lamina/base\nCOPY --from=one /out /out\nRUN --mount=target=/in \(listing)",
            "FROM lamina/base AS two\nCOPY keep* x/z /in/\nARG V=\(variable)\nRUN echo $V >/in/v\n"
                + "FROM one\nCOPY --from=two --chmod=700 /in /out/two\nRUN \(listing)",
        ]
        setup.dockerfile = "\(head)\n\(tails[dockerfile])"
        return setup
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
