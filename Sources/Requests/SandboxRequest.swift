import Diagnostics
import Frontend
package import Graph
package import Linux
package import Sandbox
import SystemPackage

/// The user's settings for the sandboxes of a build's commands. Parsed from the options of the command line.
package struct SandboxRequest: Hashable, Sendable {
    package var capabilities = CapabilitySet.container
    package var seccomp: SeccompProfile? = .standard
    package var forbidsNewPrivileges = false
    /// Whether `/proc` and `/sys` are seen as the kernel has them.
    package var showsSystemPaths = false
    package var entitlements: Set<Entitlement> = []
    package var limits: [ResourceLimit] = []
    /// In bytes; `nil` for the default.
    package var sharedMemorySize: UInt64?
    package var devices: [SandboxDevice] = []
    /// Limits of all processes of one command together.
    package var groupLimits = ControlGroupLimits()
    /// The control group below which the groups of the commands are made.
    package var groupParent: String?

    package init() {}

    /// The default of BuildKit for `cpu.max` and its like.
    package static let defaultPeriod: UInt64 = 100_000
}

/// Privileges that a Dockerfile has only if the user allows them.
package enum Entitlement: Hashable, Sendable {
    case insecureSecurity
    case hostNetwork
    /// All devices, or the one of this name.
    case device(String?)
}

extension SandboxRequest {
    /// Throws ``RequestsError`` `.notAllowed` if one of the steps asks for what the user has not granted.
    package func check(_ vertices: [Vertex]) throws {
        for vertex in vertices {
            guard case .run(let run) = vertex.operation, let refusal = refusal(of: run) else { continue }
            throw RequestsError(.notAllowed, refusal.message, hint: refusal.hint, at: vertex.location)
        }
    }

    private func refusal(of run: RunOperation) -> (message: String, hint: String)? {
        if run.security == .insecure, !entitlements.contains(.insecureSecurity) {
            return (
                "security.insecure is not allowed",
                "If you trust the Dockerfile with this machine, add --allow security.insecure."
            )
        }
        if run.network == .host, !entitlements.contains(.hostNetwork) {
            return (
                "network.host is not allowed",
                "If you trust the Dockerfile with this machine's network, add --allow network.host."
            )
        }
        for device in run.devices
        where !entitlements.contains(.device(nil)) && !entitlements.contains(.device(device.name)) {
            return (
                "device \(device.name) is not allowed",
                "If you trust the Dockerfile with it, add --allow device=\(device.name)."
            )
        }
        if let device = run.devices.first(where: { !$0.name.hasPrefix("/dev/") }) {
            return (
                "device \(device.name) is not a node below /dev: CDI devices are not supported",
                "Name the node itself, as in RUN --device=/dev/fuse."
            )
        }
        return nil
    }

    /// Sets up the sandbox of a command.
    package func apply(to spec: inout SandboxSpec, for run: RunOperation) throws {
        spec.security = run.security == .insecure ? .insecure : .sandbox
        spec.capabilities = capabilities
        spec.seccomp = seccomp
        spec.forbidsNewPrivileges = forbidsNewPrivileges
        if showsSystemPaths { (spec.maskedPaths, spec.readOnlyPaths) = ([], []) }
        spec.limits = limits
        if let sharedMemorySize { spec.sharedMemorySize = sharedMemorySize }
        spec.devices = devices
        for device in run.devices {
            let path = FilePath(device.name)
            if SandboxDevice.isDevice(path) {
                spec.devices.append(SandboxDevice(source: path, target: path))
            } else if device.isRequired {
                throw RequestsError(
                    .deviceNotFound, "device \(device.name) was not found on this machine",
                    hint: "Leave out 'required' if the step can do without it.")
            }
        }
    }

    /// The settings that change the result of a command, for its cache key; empty for the defaults. As with BuildKit,
    /// how much a command may use is not among it.
    package func keyParts(of run: RunOperation) -> [String] {
        var parts: [String] = []
        let usual = SandboxRequest()
        if run.security == .insecure { parts.append("insecure") }
        parts += run.devices.map { "device \($0.name)" }
        parts += devices.map { "device \($0.target) \($0.source)" }
        parts += limits.map { "limit \($0.resource) \($0.soft) \($0.hard)" }
        if let groupParent { parts.append("group \(groupParent)") }
        if let sharedMemorySize { parts.append("shm \(sharedMemorySize)") }
        guard run.security != .insecure else { return parts }
        if capabilities != usual.capabilities { parts.append("capabilities \(capabilities)") }
        if seccomp == nil {
            parts.append("seccomp none")
        } else if seccomp != usual.seccomp {
            parts.append("seccomp own")
        }
        if forbidsNewPrivileges { parts.append("no new privileges") }
        if showsSystemPaths { parts.append("system paths") }
        return parts
    }
}
