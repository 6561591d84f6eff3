import SystemPackage

/// A private authority with a certificate for a server and one for a client.
struct TestCertificates {
    /// A name of this machine that does not look like one, so that the rules for other machines apply.
    static let host = "0.0.0.0"

    /// Holds `ca.crt`, `server.crt`, `server.key`, `client.cert` and `client.key`.
    let directory: FilePath
    /// Whether the server wants a certificate of its clients.
    let wantsClient: Bool

    init(in scratch: Scratch, wantsClient: Bool = false) throws {
        directory = scratch.path.appending("certificates")
        self.wantsClient = wantsClient
        let script = """
            mkdir -p "$0" && cd "$0"
            new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "$@" 2>/dev/null; }
            new -x509 -days 2 -subj "/CN=Private Authority" -keyout ca.key -out ca.crt
            sign() { openssl x509 -req -days 2 -CA ca.crt -CAkey ca.key -CAcreateserial "$@" 2>/dev/null; }
            printf 'subjectAltName=IP:\(Self.host),DNS:localhost' >names
            new -subj /CN=server -keyout server.key | sign -extfile names -out server.crt
            new -subj /CN=client -keyout client.key | sign -out client.cert
            """
        try expectSuccess("sh", "-ec", script, directory.string)
    }

    /// The value of `http.tls` in the registry's settings.
    var registrySettings: String {
        let client = wantsClient ? ", clientcas: [\(directory)/ca.crt]" : ""
        return "{certificate: \(directory)/server.crt, key: \(directory)/server.key\(client)}"
    }

    /// Makes a directory with some of the files.
    func directory(_ name: String, with files: [String], in scratch: Scratch) throws -> FilePath {
        let path = scratch.path.appending(name)
        try expectSuccess(
            "sh", "-ec",
            "mkdir -p \"$0\"; for file in \(files.joined(separator: " ")); do cp \(directory)/$file \"$0\"; done",
            path.string)
        return path
    }
}
