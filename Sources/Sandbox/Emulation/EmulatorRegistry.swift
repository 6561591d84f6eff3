import CLinux
import Diagnostics
import Glibc
package import Linux
import SystemPackage

/// Emulators of other processors for the commands of one build. They are registered in a user namespace, and are gone
/// with this object; nobody else on the machine sees them.
package final class EmulatorRegistry: Sendable {
    private let registry: Directory
    /// The user namespace that a command has to join; `nil` when it is that of this process.
    package let userNamespace: SharedDescriptor?
    /// The processors that have an emulator here.
    private let architectures: Set<String>

    /// Registers the emulators that are in the directories of `path`, in the user namespace of this process if it has
    /// made that itself, else in a new one with the same numbers.
    ///
    /// `isForeign` says for a processor whether the machine needs an emulator for its programs; they would be used for
    /// its own programs, too. Throws `LinuxError` when the kernel does not allow it, as before Linux 6.7.
    package init(searchPath path: String, isForeign: (_ architecture: String) throws -> Bool) throws {
        var made = unsafe linux_emulators()
        let isOwn = UserNamespace.isEntered
        let outcome: CInt
        if isOwn {
            outcome = unsafe linux_own_emulators(&made)
        } else {
            let maps = IDMaps.current
            outcome = unsafe linux_new_emulators(maps.users.identity.lines, maps.groups.identity.lines, &made)
        }
        guard outcome == 0 else {
            let errno = Errno.current
            let step = unsafe made.failed.map { unsafe String(cString: $0) } ?? "make a registry of emulators"
            throw LinuxError(.permission, "cannot \(step): \(errno)", cause: errno)
        }
        registry = Directory(OwnedDescriptor(FileDescriptor(rawValue: unsafe made.registry)))
        userNamespace =
            isOwn ? nil : SharedDescriptor(OwnedDescriptor(FileDescriptor(rawValue: unsafe made.user_namespace)))
        var architectures: Set<String> = []
        for format in ProcessorFormat.all {
            guard let emulator = Self.emulator(for: format, in: path), try isForeign(format.architecture) else {
                continue
            }
            let file = try registry.open("register", O_WRONLY)
            do { try file.write(Array(format.registration(of: emulator.string).utf8).span) } catch { continue }
            architectures.insert(format.architecture)
        }
        self.architectures = architectures
    }

    package func contains(_ architecture: String) -> Bool { architectures.contains(architecture) }

    /// Whether the directories of a search path have an emulator for a processor.
    package static func hasEmulator(for architecture: String, in path: String = HostFacts.searchPath()) -> Bool {
        ProcessorFormat.format(of: architecture).map { emulator(for: $0, in: path) != nil } ?? false
    }

    /// The emulator for a processor. One that loads libraries would look for them in the image.
    private static func emulator(for format: ProcessorFormat, in path: String) -> FilePath? {
        let directories = path.split(separator: ":").map { FilePath(String($0)) }
        let names = ["qemu-\(format.emulator)-static", "qemu-\(format.emulator)"]
        return names.lazy.flatMap { name in directories.lazy.map { $0.appending(name) } }
            .first { $0.isAbsolute && ExecutableFile.isStatic($0) }
    }
}

extension IDMap {
    /// The map as the kernel takes it.
    fileprivate var lines: String {
        ranges.map { "\($0.inside) \($0.outside) \($0.count)\n" }.joined()
    }
}
