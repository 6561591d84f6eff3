import SystemPackage
import Testing

private let isAMD64 = (try? expectSuccess("uname", "-m").trimmed) == "x86_64"

/// The libraries that compress layers choose code by the processor; what they write must not depend on it.
@Suite(
    "Compression on other processors",
    .enabled(
        if: Machine.has("qemu-x86_64-static") && Machine.has("cc") && isAMD64,
        "needs amd64, qemu-user-static and a C compiler"))
struct CompressorProcessorTests {
    /// Models without AVX and with AVX2; the machine itself may have AVX-512.
    @Test(arguments: ["Nehalem", "Haswell"]) func isTheSameAsHere(on model: String) throws {
        let scratch = try Scratch()
        let program = scratch.path.appending("blobs").string
        let data = try scratch.write(text(of: FilePath(#filePath)), to: "data")
        // Text, machine code, zeros, and what cannot be compressed.
        try expectSuccess(
            "sh", "-ec",
            """
            cc -O1 -I "$1/Sources/CCompression" -o "$0" "$1/testdata/compression/blobs.c" -lisal -lzstd
            { head -c 300000 "$0"; head -c 200000 /dev/zero; head -c 200000 /dev/urandom; } >>"$2"
            """, program, Lamina.packageRoot.string, data.string)
        let here = try expectSuccess(program, data.string).outputLines
        #expect(here.count == 6)
        #expect(try expectSuccess("qemu-x86_64-static", "-cpu", model, program, data.string).outputLines == here)
    }
}
