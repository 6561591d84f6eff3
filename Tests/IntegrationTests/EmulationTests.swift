import SystemPackage
import Testing

/// Commands of images for another processor.
@Suite("Emulation", .enabled(if: Machine.emulatesProcessors, Machine.needsEmulators))
struct EmulationTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    /// A static program for arm64 that makes the directory `/made` and says `emulated`.
    private static let program = """
        f0VMRgIBAQAAAAAAAAAAAAIAtwABAAAAeABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAABAAAAAAAAAAEAAAAFAAAAAAAAAAAAAAAAAEAA\
        AAAAAAAAQAAAAAAAuwAAAAAAAAC7AAAAAAAAAAAAAQAAAAAAYAyAkoEBABCiPYDSSASA0gEAANQgAIDSAQEAUCIBgNIICIDSAQAA1AAAgNKoC4DS\
        AQAA1C9tYWRlAGVtdWxhdGVkCg==
        """

    private func context(_ dockerfile: String) throws -> FilePath {
        let context = try scratch.context(dockerfile)
        try scratch.write(Self.program, to: "program")
        let script =
            "mkdir -p $0/arm64 $0/amd64; base64 -d $1 >$0/arm64/sh; cp /bin/busybox $0/amd64/sh; chmod 755 $0/*/sh"
        try expectSuccess("sh", "-ec", script, context.string, scratch.path.appending("program").string)
        return context
    }

    @Test(arguments: ["namespaces", "rootless"]) func commandsRunWithEmulatorsOfTheSandboxAlone(_ mode: String) throws {
        let lamina = lamina.with(isolation: mode)
        let context = try context("FROM scratch\nCOPY arm64/sh /bin/sh\nRUN x\nUSER 1000:7\nRUN [\"/bin/sh\"]\n")
        let files = scratch.path.appending("files.tar")
        let built = try lamina.succeeding(
            "build", "--progress", "plain", "--platform", "linux/arm64", "-t", "foreign", "-o", "type=image", "-o",
            "type=tar,dest=\(files)", context.string)
        #expect(built.errorLines.count { $0.hasSuffix(" emulated") } == 2, "\(built.errorText)")
        // Nothing of the emulator is in the image.
        let names = try expectSuccess("tar", "tf", files.string).outputLines
        #expect(names.sorted() == ["bin/", "bin/sh", "made/"])
        let ran = try lamina.succeeding("run", "--platform", "linux/arm64", "foreign", "/bin/sh")
        #expect(ran.outputText == "emulated\n")
        // The machine has learnt nothing from it.
        let other = try lamina.with(["PATH": "/nonexistent"])("run", "foreign", "/bin/sh")
        #expect(other.status == 126)
        #expect(
            other.errorText.contains(
                "This machine runs no programs for linux/arm64: install Debian's package qemu-user-static"),
            "\(other.errorText)")
    }

    @Test(.enabled(if: Machine.hasPlainUsers, Machine.needsPlainUsers)) func aUserNeedsNoRightsForIt() throws {
        let context = try context("FROM scratch\nCOPY arm64/sh /bin/sh\nRUN x\n")
        for subordinates in [PlainUser.Subordinates.range, .none] {
            let user = try PlainUser(subordinates)
            try expectSuccess("cp", "-r", context.string, user.path.appending("home/context").string)
            try expectSuccess("chmod", "-R", "a+rX", user.path.appending("home/context").string)
            let built = try user(
                "lamina", "build", "--progress", "plain", "--platform", "linux/arm64",
                user.path.appending("home/context").string)
            #expect(built.status == 0 && built.errorText.contains(" emulated"), "\(built.errorText)")
        }
    }

    @Test func oneBuildRunsCommandsOfBothProcessors() throws {
        let context = try context("FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH/sh /bin/sh\nRUN mkdir /made\n")
        let files = scratch.path.appending("files")
        try lamina.succeeding(
            "build", "--platform", "linux/amd64,linux/arm64", "-o", files.string, context.string)
        for platform in ["linux_amd64", "linux_arm64"] {
            #expect(try expectSuccess("ls", files.appending(platform).string).outputLines == ["bin", "made"])
        }
    }

    @Test func theBuildersPrivilegesAndAChrootTakeAnEmulatorOfTheMachine() throws {
        let insecure = try context("FROM scratch\nCOPY arm64/sh /bin/sh\nRUN --security=insecure x\n")
        let refused = try lamina(
            "build", "--allow", "security.insecure", "--platform", "linux/arm64", insecure.string)
        #expect(refused.status == 1)
        #expect(refused.errorText.contains("a command for linux/arm64 cannot have all privileges of the builder"))
        let plain = try context("FROM scratch\nCOPY arm64/sh /bin/sh\nRUN x\n")
        let failed = try lamina.with(isolation: "chroot")("build", "--platform", "linux/arm64", plain.string)
        #expect(failed.status == 1)
        #expect(failed.errorText.contains("as a command in a changed root has none of its own"), "\(failed.errorText)")
    }
}
