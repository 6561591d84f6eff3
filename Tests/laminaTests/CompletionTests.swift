import ArgumentParser
import Testing

@testable import lamina

/// Words that complete a command line.
@Suite struct CompletionTests {
    private let completion = Completion(
        sources: Completion.Sources(
            images: { ["app:1", "base:latest"] }, builds: { ["0a1b2c3d4e"] },
            stages: { ["stage-of-\($0)"] }, arguments: { ["ARG_OF_\($0)"] }, topics: { ["building", "ci/gitlab"] }))

    private func words(_ line: String) -> [String] {
        completion.candidates(for: line.split(separator: " ", omittingEmptySubsequences: false).map(String.init))
            .map(\.word)
    }

    @Test(arguments: [
        ("bui", ["build", "builds", "builder", "buildx"]), ("builds i", ["inspect"]), ("image pr", ["prune"]),
        ("image l", ["list", "load", "ls"]), ("system d", ["df"]), ("help ci", ["ci/gitlab"]), ("help fm", ["fmt"]),
        ("--root /x imag", ["images", "image"]), ("manifest in", ["inspect"]),
        // Options and their values.
        ("build --tar", ["--target"]), ("build --target ", ["stage-of-."]), ("build --target ", ["stage-of-."]),
        ("build --target=st", ["--target=stage-of-."]), ("build -f D --target ", ["stage-of-D"]),
        ("build -fD --target ", ["stage-of-D"]), ("build --file=D x --target ", ["stage-of-D"]),
        ("build dir --target ", ["stage-of-dir"]), ("build -t x -q dir --build-arg ", ["ARG_OF_dir="]),
        ("buildx build --target ", ["stage-of-."]), ("bud --target ", ["stage-of-."]),
        ("build --progress r", ["rawjson"]), ("build --progress=q", ["--progress=quiet"]), ("build -qt a", ["app:1"]),
        ("build --label ", []), ("build ", []), ("build --no-ca", ["--no-cache", "--no-cache-filter"]),
        ("executor --snapshot-", ["--snapshot-mode"]), ("executor -c . --target ", ["stage-of-."]),
        // Arguments.
        ("rmi app:1 b", ["base:latest"]), ("run ", ["app:1", "base:latest"]), ("run -it a", ["app:1"]),
        ("run -e A=1 a", ["app:1"]), ("run -e ", []), ("run app:1 a", []), ("cat app:1 /", []),
        ("image inspect b", ["base:latest"]), ("builds logs 0", ["0a1b2c3d4e"]), ("explain 0", ["0a1b2c3d4e"]),
        ("completion ", []), ("frobnicate ", []), ("build --frobnicate ", []),
    ])
    func theLastWordIsCompleted(_ line: String, _ expected: [String]) {
        #expect(words(line) == expected)
    }

    @Test func everyCommandIsThereWithItsDescription() {
        let all = completion.candidates(for: [""])
        #expect(all.count == Lamina.configuration.subcommands.count)
        #expect(all.allSatisfy { !$0.description.isEmpty })
        #expect(completion.candidates(for: []) == [])
    }
}
