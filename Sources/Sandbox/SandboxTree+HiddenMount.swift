package import Linux
package import SystemPackage

extension SandboxTree {
    /// Runs `body` with the tree as one directory that no other process sees. What `body` writes is in the tree when this
    /// returns.
    ///
    /// No sandbox may use the tree meanwhile. `scratch` is an empty directory. Throws `SandboxError` and `LinuxError`.
    package func withHiddenMount<Value>(
        _ host: HostCapabilities, scratch: FilePath, _ body: (borrowing Directory) throws -> Value
    ) throws -> Value {
        switch self {
        case .directory(let path): return try body(try Directory(opening: path))
        case .overlay(let lowers, let upper, _) where lowers.isEmpty: return try body(try Directory(opening: upper))
        case .layers(let lowers) where lowers.count == 1: return try body(try Directory(opening: lowers[0]))
        case .layers(let lowers): return try Self.mounting(lowers, nil, host, scratch, body)
        case .overlay(let lowers, let upper, let work):
            guard case .served(let program, _) = host.overlay else {
                return try Self.mounting(lowers, (upper, work), host, scratch, body)
            }
            let server = try OverlayServer(
                ServedOverlay(program: program, lowers: lowers, upper: upper, work: work))
            let result = Result { try body(try Directory(opening: FilePath("/proc/self/fd/\(server.descriptor)"))) }
            try server.end()
            return try result.get()
        }
    }

    private static func mounting<Value>(
        _ lowers: [FilePath], _ changes: (upper: FilePath, work: FilePath)?, _ host: HostCapabilities,
        _ scratch: FilePath, _ body: (borrowing Directory) throws -> Value
    ) throws -> Value {
        let options = OverlayOptions(
            lowers: lowers, upper: changes?.upper, work: changes?.work,
            usesUserAttributes: host.overlay != .trusted)
        return try body(try Directory(hiddenOverlay: options, on: scratch))
    }
}
