import Diagnostics
package import OCI
package import Requests
import SystemPackage

extension RunRequest {
    /// The program and its arguments.
    package func command(_ config: RunConfig) throws -> [String] {
        let entrypoint = self.entrypoint ?? config.entrypoint ?? []
        // The image's own arguments belong to its own entry point.
        let defaults = self.entrypoint == nil ? config.command ?? [] : []
        let arguments = entrypoint + (self.arguments.isEmpty ? defaults : self.arguments)
        guard !arguments.isEmpty else {
            throw ContainersError(
                .badCommand, "the image says no command to run, and none was given",
                hint: "Write one behind the image: lamina run \(image) COMMAND.")
        }
        return arguments
    }

    /// The directory that the command begins in.
    func directory(_ config: RunConfig) throws -> FilePath {
        let text = workingDirectory ?? config.workingDirectory
        let path = FilePath(text.isEmpty ? "/" : text)
        guard path.isAbsolute else {
            // Docker refuses a relative -w; an image's own counts from the root.
            guard workingDirectory == nil else {
                throw ContainersError(
                    .badCommand, "the working directory '\(text)' is invalid, it needs to be an absolute path")
            }
            return FilePath("/").pushing(path)
        }
        return path
    }

    /// The variables that the command has: `NAME=value`.
    func variables(_ config: RunConfig, home: String, hostname: String) -> [String] {
        var names: [String] = []
        var values: [String: String] = [:]
        func set(_ name: String, _ value: String) {
            if values.updateValue(value, forKey: name) == nil { names.append(name) }
        }
        set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        set("HOSTNAME", hostname)
        if hasTerminal { set("TERM", "xterm") }
        for variable in config.environment {
            let parts = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            set(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
        for (name, value) in environment { set(name, value) }
        if values["HOME"] == nil { set("HOME", home) }
        return names.map { "\($0)=\(values[$0] ?? "")" }
    }
}
