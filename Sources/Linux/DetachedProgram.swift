import CLinux
import Diagnostics
import Glibc
package import SystemPackage

/// A program of the host that goes on when this process has ended.
package enum DetachedProgram {
    /// Starts a program with no input, and gives the reading end of its output.
    ///
    /// It gets nothing of this process but the environment: no descriptors. What it writes to its standard error goes to
    /// the file `errors`. The corresponding function is `posix_spawn(3)`.
    package static func start(
        _ program: FilePath, _ arguments: [String], environment: [String], errors: FilePath
    ) throws -> OwnedDescriptor {
        let output = try Pipe()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output.writing.number, 1)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors.string, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe linux_spawn_add_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(CInt(POSIX_SPAWN_SETSIGDEF) | CInt(POSIX_SPAWN_SETSIGMASK)))
        var process: pid_t = 0
        let path = program.string
        let error = unsafe withCStrings(["lamina"] + arguments) { arguments in
            unsafe withCStrings(environment) { environment in
                unsafe posix_spawn(&process, path, &actions, &attributes, arguments, environment)
            }
        }
        guard error == 0 else { throw LinuxError(Errno(rawValue: error), "run", program) }
        return output.closingWriting()
    }

    /// The variable that tells a child which executes this program that it is in a user namespace from the start; `nil`
    /// outside of one.
    package static var namespaceVariable: String? {
        UserNamespace.isEntered ? "\(LINUX_USER_NAMESPACE_INHERITED)=1" : nil
    }
}
