import Diagnostics
package import Linux

/// How commands are kept apart from the machine.
package enum Isolation: String, Sendable {
    /// Namespaces of the kernel's, set up as root.
    case namespaces

    /// What a build on this machine would use; `nil` when it cannot run commands.
    package static func available(_ capabilities: CapabilitySet = .effective) -> Isolation? {
        capabilities.isSuperset(of: .systemAdministration) ? .namespaces : nil
    }

    /// Throws ``EngineError`` `.isolation` when this process cannot run commands.
    static func requireForCommands() throws {
        guard available() == nil else { return }
        throw EngineError(
            .isolation, "RUN needs root with CAP_SYS_ADMIN, which this process does not have",
            hint: "Run the build as root, or see 'lamina doctor'; rootless isolation is not there yet.")
    }
}
