import Diagnostics
import Linux
package import OCI
import Requests
package import Sandbox
import Store
import Synchronization
import SystemPackage

/// The way in which commands of another platform run in a build's sandboxes, found out when the first of them needs it.
///
/// Programs that the machine runs itself, or by an emulator of its own, just run. Else the emulators that are installed
/// are registered for the sandboxes alone: see ``EmulatorRegistry``.
final class ForeignPrograms: Sendable {
    private let store: StoreRoot
    private let state = Mutex(State())

    private struct State {
        /// Whether the machine runs the programs of a processor.
        var isNative: [String: Bool] = [:]
        var registry: Result<EmulatorRegistry, any Error>?
    }

    init(store: StoreRoot) { self.store = store }

    /// The support that a command for a platform needs in `mode`.
    func support(for platform: Platform, mode: Isolation) throws -> ForeignSupport {
        let architecture = platform.architecture
        guard platform.os == "linux", architecture != Platform.host.architecture else { return .native }
        return try state.withLock { state in
            if try isNative(architecture, &state) { return .native }
            guard mode != .chroot else { return .missing(Self.hint(Self.chrootHint, platform)) }
            guard EmulatorRegistry.hasEmulator(for: architecture) else {
                return .missing(Self.hint(Self.packageHint, platform))
            }
            let registry =
                state.registry
                ?? Result {
                    try EmulatorRegistry(searchPath: HostFacts.searchPath()) { try !isNative($0, &state) }
                }
            state.registry = registry
            switch registry {
            case .failure(let error):
                let reason = (error as? any AnyFailure)?.message ?? "\(error)"
                return .missing(Self.hint(Self.kernelHint(reason), platform))
            case .success(let registry):
                guard registry.contains(architecture), try runs(architecture, with: registry) else {
                    return .missing(Self.hint(Self.packageHint, platform))
                }
                return .emulated(registry)
            }
        }
    }

    private func isNative(_ architecture: String, _ state: inout State) throws -> Bool {
        if architecture == Platform.host.architecture { return true }
        if let known = state.isNative[architecture] { return known }
        let answer = try runs(architecture)
        state.isNative[architecture] = answer
        return answer
    }

    private func runs(_ architecture: String, with registry: EmulatorRegistry? = nil) throws -> Bool {
        let directory = try store.temporaryDirectory()
        return try withExtendedLifetime(directory) {
            // Of a processor that nothing is known about, the command itself will tell.
            try ProcessorProbe(directory: directory.path).runs(architecture, with: registry) ?? false
        }
    }

    private static func hint(_ advice: String, _ platform: Platform) -> String {
        "This machine runs no programs for \(platform): \(advice)."
    }

    private static let packageHint =
        "install Debian's package qemu-user-static, or register an emulator with binfmt_misc"
    private static let chrootHint =
        "register an emulator with binfmt_misc on it, as a command in a changed root has none of its own"

    private static func kernelHint(_ reason: String) -> String {
        let needed = KernelVersion(6, 7)
        guard KernelVersion.current < needed else { return "\(reason); register an emulator with binfmt_misc on it" }
        return
            "register an emulator with binfmt_misc on it, as Linux \(KernelVersion.current) gives sandboxes none of their "
            + "own; Linux \(needed) does"
    }
}

/// The support that a command for a platform needs to run.
package enum ForeignSupport: Sendable {
    case native
    case emulated(EmulatorRegistry)
    /// No emulator; the sentence says what can be done about it.
    case missing(String)

    /// Gives the command its emulators.
    ///
    /// Throws ``ExecutionError`` `.isolation` for a command that is to have all privileges of the builder.
    package func apply(to spec: inout SandboxSpec, for platform: Platform) throws {
        guard case .emulated(let registry) = self, let namespace = registry.userNamespace else { return }
        guard spec.security == .sandbox else {
            throw ExecutionError(
                .isolation, "a command for \(platform) cannot have all privileges of the builder",
                hint: "Register an emulator with binfmt_misc on this machine, or leave --security=insecure out.")
        }
        spec.emulators = namespace.number
    }

    /// Runs `body` with the emulators, and says what is missing when a command cannot be executed for want of them.
    package func explaining<Value>(_ body: () throws -> Value) throws -> Value {
        defer { withExtendedLifetime(self) {} }
        do { return try body() } catch let error as SandboxError {
            guard case .missing(let hint) = self, error.code == .commandNotExecutable,
                error.cause as? Errno == .execFormatError
            else { throw error }
            throw SandboxError(error.code, error.message, hint: hint, at: error.location, cause: error.cause)
        }
    }
}
