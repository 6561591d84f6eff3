import SystemPackage
import Testing

/// Some of the attacks whose long form is `scripts/attack`.
@Suite("scripts/attack", .enabled(if: Machine.isRoot && Machine.has("python3"), "needs root and python3"))
struct AttackTests {
    private func attack(_ options: String, lamina: FilePath? = nil) throws -> Finished {
        guard let binary = lamina ?? Lamina.binary else {
            throw CommandFailure(description: "there is no lamina: build it, or name it in LAMINA_BINARY")
        }
        let script = Lamina.packageRoot.appending("scripts/attack")
        let words = options.split(separator: " ").map(String.init)
        return try RunningProcess(
            [script.string, "--lamina", binary.string, "--seed", "7"] + words, environment: [:], in: "/"
        ).wait()
    }

    /// Each kind for itself, so that a failure names it.
    @Test(
        "Tens of each attack find nothing",
        arguments: [
            "--only kills --kills 12", "--only disks --disks 6", "--only faults --faults 25",
            "--only archives --archives 30", "--only probes --probes 80",
        ])
    func findsNothing(_ options: String) throws {
        let finished = try attack(options)
        #expect(finished.status == 0, "\(finished.outputText)\(finished.errorText)")
        #expect(finished.outputLines.last == "seed 7: 0 findings")
    }

    @Test("A program that ends by a signal is a finding") func findsASignal() throws {
        let scratch = try Scratch()
        let binary = try #require(Lamina.binary)
        let broken = try scratch.write(
            "#!/bin/sh\ncase $1 in import | load) kill -SEGV $$ ;; esac\nexec \(binary.string) \"$@\"\n",
            to: "lamina", mode: [.ownerReadWriteExecute])
        let finished = try attack("--only archives --archives 12", lamina: broken)
        #expect(finished.status == 1)
        #expect(finished.outputText.contains("FINDING archive") && finished.outputText.contains("signal 11"))
    }
}
