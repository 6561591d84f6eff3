import Glibc
import Linux
import SystemPackage
import Testing

@testable import Sandbox

/// Programs for other processors, and the emulators that run them.
@Suite struct EmulatorTests {
    private static let native = ["amd64", "arm64"].first { architecture in
        var names = utsname()
        guard unsafe uname(&names) == 0 else { return false }
        let machine = unsafe withUnsafeBytes(of: names.machine) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return architecture == (machine == "x86_64" ? "amd64" : "arm64")
    }

    private static let canRegister =
        geteuid() == 0 && KernelVersion.current >= KernelVersion(6, 7)
        && NamespaceSet([.user, .mount]).obstacle() == nil
        && EmulatorRegistry.hasEmulator(for: "s390x")

    @Test func aRegistrationNamesTheFirstBytesOfAProgram() throws {
        let format = try #require(ProcessorFormat.format(of: "arm64"))
        #expect(
            format.registration(of: "/usr/bin/qemu-aarch64-static")
                == #":lamina-aarch64:M::\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"#
                + #":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"#
                + ":/usr/bin/qemu-aarch64-static:POCF")
        let big = try #require(ProcessorFormat.format(of: "s390x")).registration(of: "/q")
        #expect(big.contains(#"\x00\x02\x00\x16:"#) && big.contains(#"\xff\xfe\xff\xff:/q"#))
    }

    @Test(arguments: ProcessorFormat.all.map(\.architecture)) func aProbeBeginsAsItsRegistrationSays(_ name: String)
        throws
    {
        let format = try #require(ProcessorFormat.format(of: name))
        let text = format.probe.prefix(20).map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(format.registration(of: "/q").contains(":M::\(text):"))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root: a probe changes its root directory"))
    func thisMachineRunsItsOwnProgramsAndNoneOfAnUnknownProcessor() throws {
        let native = try #require(Self.native)
        let fixture = try Fixture()
        let probe = ProcessorProbe(directory: fixture.scratch)
        #expect(try probe.runs(native) == true)
        #expect(try probe.runs("pdp11") == nil)
        #expect(try Directory(opening: fixture.scratch).names().isEmpty)
    }

    /// Each processor's program runs with the emulators of a registry, and without it only if it did before.
    @Test(
        .enabled(if: canRegister, "needs root, Linux 6.7 and qemu-user-static"),
        arguments: ProcessorFormat.all.map(\.architecture))
    func emulatorsAreThoseOfTheRegistryAlone(_ architecture: String) throws {
        let fixture = try Fixture()
        let probe = ProcessorProbe(directory: fixture.scratch)
        let before = try probe.runs(architecture)
        guard before == false, EmulatorRegistry.hasEmulator(for: architecture) else { return }
        let registry = try EmulatorRegistry(searchPath: HostFacts.searchPath()) { $0 == architecture }
        #expect(registry.contains(architecture))
        #expect(!registry.contains(architecture == "s390x" ? "arm64" : "s390x"))
        #expect(try probe.runs(architecture, with: registry) == true)
        #expect(try probe.runs(architecture) == before)
    }

    @Test func aProgramThatLoadsLibrariesIsNoEmulator() throws {
        #expect(!ExecutableFile.isStatic("/bin/sh"))
        #expect(!ExecutableFile.isStatic("/etc/passwd"))
        #expect(!ExecutableFile.isStatic("/no/such"))
        #expect(!EmulatorRegistry.hasEmulator(for: "arm64", in: "/no/such:relative"))
    }
}
