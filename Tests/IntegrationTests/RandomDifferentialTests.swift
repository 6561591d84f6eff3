import SystemPackage
import Testing

/// Random Dockerfiles give equal images as root, rootless and in a chroot, and with a cache what a new store gives.
@Suite("scripts/random-differential", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct RandomDifferentialTests {
    /// The long form is `scripts/random-differential`, with 2,000 cases.
    @Test func fiftyRandomCasesAreEqual() throws {
        guard let binary = Lamina.binary else {
            throw CommandFailure(description: "there is no lamina: build it, or name it in LAMINA_BINARY")
        }
        let script = Lamina.packageRoot.appending("scripts/random-differential")
        let finished = try RunningProcess(
            [script.string, "--lamina", binary.string, "--cases", "50", "--seed", "1"], environment: [:], in: "/"
        ).wait()
        #expect(finished.status == 0, "\(finished.outputText)\(finished.errorText)")
        let words = finished.outputLines.last?.split(separator: " ") ?? []
        // `50 cases, seed 1: 180 images, 0 cases differ`; enough of the cases can be built to prove something.
        let images = words.firstIndex(of: "images,").flatMap { Int(words[$0 - 1]) }
        #expect(images ?? 0 > 125, "\(finished.outputText)")
    }
}
