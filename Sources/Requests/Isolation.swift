/// The isolation modes of commands, the best first.
package enum Isolation: String, CaseIterable, Sendable {
    /// Namespaces of the kernel's, set up as root.
    case namespaces
    /// The same, set up as the root of a user namespace that this user may make.
    case rootless
    /// A chroot and nothing else, where no file system may be mounted.
    case chroot
}
