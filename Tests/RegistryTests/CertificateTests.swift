import Diagnostics
import Testing

@testable import Registry

@Suite struct CertificateTests {
    private func trust(_ files: [String], for registry: String, override: String? = nil) async throws -> ServerTrust {
        try await withDirectory { directory in
            for file in files { try write(file, to: "\(directory)/\(file)") }
            let certificates = CertificateDirectories(
                parents: ["\(directory)/one", "\(directory)/two"], override: override.map { "\(directory)/\($0)" })
            return try certificates.trust(for: registry, at: try HTTPURL(parsing: "https://\(registry)"))
        }
    }

    @Test(
        "The first directory with the name of the registry counts",
        arguments: [
            (["one/r.test/a.crt", "two/r.test/b.crt"], "r.test", "one/r.test/a.crt\n"),
            (["two/r.test/b.crt", "two/r.test/a.crt"], "r.test", "two/r.test/a.crt\ntwo/r.test/b.crt\n"),
            (["two/r.test:443/b.crt"], "r.test", "two/r.test:443/b.crt\n"),
            (["two/r.test:5000/b.crt"], "r.test:5000", "two/r.test:5000/b.crt\n"),
            (["two/r.test/b.crt"], "r.test:5000", ""), (["two/r.test/note.txt"], "r.test", ""), ([], "r.test", ""),
        ])
    func authorities(_ files: [String], _ registry: String, _ expected: String) async throws {
        let trust = try await trust(files, for: registry)
        #expect(trust.authorities == Array(expected.utf8))
        #expect(trust.clientCertificate == nil && trust.registry == registry)
    }

    @Test("A directory that is named holds the certificates of every registry")
    func override() async throws {
        let trust = try await trust(["own/c.crt", "one/r.test/a.crt"], for: "r.test", override: "own")
        #expect(trust.authorities == Array("own/c.crt\n".utf8))
        let error = try await registryError { _ = try await self.trust([], for: "r.test", override: "own") }
        #expect(error?.hint == "Correct --cert-dir.")
    }

    @Test("Files that are named for a registry are used for it alone")
    func named() async throws {
        try await withDirectory { directory in
            for file in ["own/c.crt", "ca.pem", "client.pem", "key.pem"] { try write(file, to: "\(directory)/\(file)") }
            let files = [
                try CertificateFiles(authority: "https://r.test:1=\(directory)/ca.pem"),
                try CertificateFiles(client: "r.test:1=\(directory)/client.pem,\(directory)/key.pem"),
                try CertificateFiles(authority: "gone.test=\(directory)/gone.pem"),
            ]
            let certificates = CertificateDirectories(parents: [], override: "\(directory)/own", named: files)
            let trust = try certificates.trust(for: "r.test:1", at: HTTPURL(parsing: "https://r.test:1"))
            #expect(trust.authorities == Array("own/c.crt\nca.pem\n".utf8))
            #expect(trust.clientCertificate?.key == "\(directory)/key.pem")
            let other = try certificates.trust(for: "r.test", at: HTTPURL(parsing: "https://r.test"))
            #expect(other.authorities == Array("own/c.crt\n".utf8) && other.clientCertificate == nil)
            #expect(throws: RegistryError.self) {
                try certificates.trust(for: "gone.test", at: HTTPURL(parsing: "https://gone.test"))
            }
        }
    }

    @Test(
        "A certificate without a registry, or without a key, is refused",
        arguments: ["", "r", "=f", "r=", "r=c", "r=c,"])
    func malformedNames(_ text: String) {
        #expect(throws: RegistryError.self) { try CertificateFiles(client: text) }
        if !text.hasPrefix("r=c") { #expect(throws: RegistryError.self) { try CertificateFiles(authority: text) } }
    }

    @Test("Half a client certificate is refused", arguments: ["client.cert", "client.key"])
    func halfCertificates(_ file: String) async throws {
        let error = try await registryError { _ = try await trust(["one/r.test/\(file)"], for: "r.test") }
        #expect(error?.code == .tls && error?.message.hasPrefix("missing the ") == true)
    }
}
