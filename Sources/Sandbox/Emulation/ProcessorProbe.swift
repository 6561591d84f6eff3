import Diagnostics
import Glibc
import Linux
package import SystemPackage

/// Finds out whether programs of a processor run in a sandbox: with the machine's own emulators, or those of a build.
package struct ProcessorProbe: Sendable {
    /// An empty directory on a file system that programs can be executed on.
    private let directory: FilePath

    package init(directory: FilePath) { self.directory = directory }

    /// Executes the smallest program for the processor, with nothing but that in its root directory, as in an image that
    /// has no emulator. `nil` for a processor that is not known.
    package func runs(_ architecture: String, with registry: EmulatorRegistry? = nil) throws -> Bool? {
        guard let format = ProcessorFormat.format(of: architecture) else { return nil }
        let root = try Directory(opening: directory)
        let name = PathBytes("probe")
        do {
            let file = try root.open(name, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o755)
            try file.write(format.probe.span)
        }
        try root.setPermissions(name, 0o755)
        defer { try? root.unlink(name) }
        var steps: [SandboxStep] = []
        let namespace = registry?.userNamespace
        if namespace != nil { steps.append(SandboxStep(.joinUserNamespace)) }
        steps += [
            SandboxStep(.changeRoot(directory)), SandboxStep(.changeDirectory("/")),
            SandboxStep(.closeDescriptors(from: 0)), SandboxStep(.execute("/probe")),
        ]
        do {
            let spawned = try StepEncoding(steps, arguments: ["/probe"], environment: []).spawn(
                namespaces: [], standardStreams: (-1, -1, -1), userNamespace: namespace?.number ?? -1)
            try spawned.process.close()
            var status: CInt = 0
            try check("wait for", "a program") { unsafe waitpid(spawned.pid, &status, 0) }
            return status == 0
        } catch is SpawnFailure {
            return false
        }
    }
}
