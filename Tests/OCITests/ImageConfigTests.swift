import OCI
import Testing

@Suite struct ImageConfigTests {
    /// Made by BuildKit, with one key at each level that this program knows nothing of.
    static let document = """
        {"architecture":"amd64","config":{"User":"7","Env":["PATH=/bin","FOO=b \\u003c\\u0026\\u003e r"],\
        "Cmd":["/bin/app","-x y"],"WorkingDir":"/w","Labels":{"cli":"lab","k":"v w"},"ArgsEscaped":true,\
        "MacAddress":"x"},"created":"2023-11-14T22:13:20Z","history":[{"created":"2023-11-14T22:13:20.123Z",\
        "created_by":"COPY a.txt /a.txt # buildkit","comment":"buildkit.dockerfile.v0"},{"created_by":"ENV A=b",\
        "empty_layer":true}],"os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:\
        5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"]},"zz.unknown":{"a":1}}
        """

    @Test func comesOutAsItWentIn() throws {
        let config = try ImageConfig(parsing: Array(Self.document.utf8))
        #expect(String(decoding: config.encoded, as: UTF8.self) == Self.document)
    }

    @Test func baseKeepsUnknownKeysButNotItsTime() throws {
        let base = try ImageConfig(parsing: Array(Self.document.utf8)).asBase()
        let text = String(decoding: base.encoded, as: UTF8.self)
        #expect(text.contains(#""zz.unknown":{"a":1}"#))
        #expect(!text.contains(#""created":"2023-11-14T22:13:20Z","history""#))
    }

    @Test(
        "A malformed image config is refused",
        arguments: ["{}", "[]", #"{"os":"linux"}"#, #"{"os":"l","architecture":"a","rootfs":{"diff_ids":["x"]}}"#])
    func refuses(_ text: String) {
        #expect(throws: (any Error).self) { try ImageConfig(parsing: Array(text.utf8)) }
    }
}
