import CLinux
import Diagnostics
import Glibc
package import SystemPackage

/// The user namespace that this program may move itself to, and become its root.
///
/// It executes itself again, as only a process with one thread can enter a user namespace; its number, terminal,
/// working directory and signals stay what they are. So it must be done before anything else has been.
package struct UserNamespace: Sendable {
    package let maps: IDMaps
    /// The paths of `newuidmap` and `newgidmap`, which write the maps; `nil` where this process may write them.
    package let tools: (users: FilePath, groups: FilePath)?
    /// Whether `setgroups(2)` has to be given up, as by one who has no groups of its own to give.
    package let refusesGroups: Bool

    package init(maps: IDMaps, tools: (users: FilePath, groups: FilePath)?, refusesGroups: Bool) {
        self.maps = maps
        self.tools = tools
        self.refusesGroups = refusesGroups
    }

    /// Whether this process has moved to a user namespace of its own.
    package static var isEntered: Bool {
        unsafe linux_user_namespace_report().outcome == LINUX_USER_NAMESPACE_ENTERED
    }

    /// Throws `LinuxError` when this process was to be moved and that has failed: it can do nothing any more.
    package static func checkEntry() throws {
        let report = unsafe linux_user_namespace_report()
        guard unsafe report.outcome == LINUX_USER_NAMESPACE_FAILED, let step = unsafe report.step else { return }
        let errno = Errno(rawValue: unsafe report.error)
        throw LinuxError(
            .permission, "cannot \(unsafe String(cString: step)): \(errno)",
            hint: "See what 'lamina doctor' says about the isolation 'rootless'.", cause: errno)
    }

    /// Replaces this process by the same program with the same arguments, as root of the namespace.
    ///
    /// The corresponding system calls are `execve(2)` and `unshare(2)`.
    package func enter() throws -> Never {
        let path = Self.program()
        let request = "\(LINUX_USER_NAMESPACE_VARIABLE)=\(self.request)"
        let outcome = unsafe withCStrings([request]) { added in
            // Bytes as they are: names of files need not be text.
            var variables: [UnsafeMutablePointer<CChar>?] = unsafe [added[0]]
            var next = unsafe environ
            while let variable = unsafe next.pointee {
                unsafe variables.append(variable)
                unsafe next += 1
            }
            unsafe variables.append(nil)
            return unsafe variables.withUnsafeBufferPointer { variables in
                unsafe path.withPlatformString { path in
                    unsafe linux_execute_again(path, ProgramArguments.pointer, variables.baseAddress)
                }
            }
        }
        guard outcome == 0 else { throw LinuxError(.current, "execute", path) }
        preconditionFailure("execve returns only if it fails")
    }

    private var request: String {
        func words(_ map: IDMap) -> String {
            map.ranges.map { "\($0.inside) \($0.outside) \($0.count)" }.joined(separator: " ")
        }
        let fields = [
            "\(getpid())", tools?.users.string ?? "", tools?.groups.string ?? "", words(maps.users), words(maps.groups),
            refusesGroups ? "deny" : "allow",
        ]
        return fields.joined(separator: "\n")
    }

    /// This program under its own name, for those who list processes; or, if that is another file by now, by the link.
    private static func program() -> FilePath {
        let link: FilePath = "/proc/self/exe"
        guard let path = try? Directory(opening: "/proc/self").linkTarget("exe"),
            let named = try? OwnedDescriptor.open(FilePath(path.text)).status(),
            let running = try? OwnedDescriptor.open(link).status(),
            named.device == running.device, named.inode == running.inode
        else { return link }
        return FilePath(path.text)
    }
}
