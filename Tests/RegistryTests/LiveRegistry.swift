import CurlTransport
import Diagnostics
import Foundation
import Glibc

@testable import Registry

/// A registry of the distribution project on a loopback port.
struct LiveRegistry: Sendable {
    /// Host and port.
    let name: String

    static let program = "/usr/bin/docker-registry"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }
    static let user = "user"
    static let password = "secret"

    /// Runs `body` with a fresh registry; one that wants a login lets in nobody but ``user`` with ``password``.
    static func with(login wantsLogin: Bool = false, _ body: (LiveRegistry) async throws -> Void) async throws {
        try await withDirectory { directory in
            let port = try freePort()
            var configuration = """
                version: 0.1
                log: {level: error, accesslog: {disabled: true}}
                storage: {filesystem: {rootdirectory: \(directory)/data}, delete: {enabled: true}}
                http: {addr: "127.0.0.1:\(port)"}

                """
            if wantsLogin {
                configuration += "auth: {htpasswd: {realm: live, path: \(directory)/htpasswd}}\n"
                // bcrypt of "secret"
                try write(
                    "\(user):$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n",
                    to: "\(directory)/htpasswd")
            }
            try write(configuration, to: "\(directory)/config.yml")
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = ["serve", "\(directory)/config.yml"]
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            defer {
                process.terminate()
                process.waitUntilExit()
            }
            let registry = LiveRegistry(name: "127.0.0.1:\(port)")
            try await registry.waitUntilReady()
            try await body(registry)
        }
    }

    private func waitUntilReady() async throws {
        try await withTransport { transport in
            let request = HTTPRequest(.get, try HTTPURL(parsing: "http://\(name)/v2/"))
            for _ in 0..<1200 {
                if (try? await transport.send(request, body: nil)) != nil { return }
                try await Task.sleep(for: .milliseconds(50))
            }
            throw RegistryError(.unreachable, "the registry under test did not start")
        }
    }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                let bound = unsafe bind(descriptor, generic, size)
                return unsafe getsockname(descriptor, generic, &size) == bound
            }
        }
        guard status else { throw RegistryError(.unreachable, "there is no free port") }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// Runs `body` with a transport over the network that is shut down afterwards.
func withTransport<Value>(
    _ timeouts: NetworkTransport.Timeouts = .init(), _ body: (NetworkTransport) async throws -> Value
) async throws -> Value {
    let transport = NetworkTransport(environment: [:], timeouts: timeouts)
    let result: Value
    do { result = try await body(transport) } catch {
        try await transport.shutdown()
        throw error
    }
    try await transport.shutdown()
    return result
}
