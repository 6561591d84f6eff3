import Diagnostics
import Linux
package import Sandbox
import Store
package import SystemPackage
import Trees

/// A working tree while a command runs in it.
package struct StepTree: ~Copyable, Sendable {
    private let tree: WorkingTree
    private var substitutes: ChrootSubstitutes?
    /// The time from which on a change is one of the command.
    private var start: FileTime?

    package init(_ tree: WorkingTree) { self.tree = tree }

    /// The root directory of the command.
    package var path: FilePath { tree.path }

    /// Makes the specification one for `chroot` mode, with substitutes for its mounts put into the tree.
    ///
    /// `own` is what the mounts of the instruction come down to, as far as they are not in the specification; `base` the
    /// store, from which notes about credentials say where they are. Throws ``ExecutionError`` `.unsupported` for what takes a mount.
    package mutating func enter(
        _ spec: inout SandboxSpec, _ own: [ChrootSubstitute], base: FilePath, warn: (String) -> Void
    ) throws {
        var all = Self.usual(spec)
        for mount in spec.mounts { all.append(try Self.substitute(for: mount)) }
        let placed = try ChrootSubstitutes.place(
            all + own, in: tree.path, aside: tree.aside, base: base, owner: tree.directory)
        if placed.hasMakeshiftDevices {
            warn("no devices can be made here, so that plain files stand in for /dev/null, /dev/zero and /dev/random")
        }
        substitutes = consume placed
        spec.confinement = .chroot
        spec.mounts = []
        spec.resolvConf = nil
        spec.hosts = nil
    }

    /// After this, what was put into the tree, and all before, is older than what the command changes.
    package mutating func waitForTick() throws { start = try tree.waitForTick() }

    /// Throws ``ExecutionError`` `.writtenReadOnly` if the command changed a file of a read-only mount.
    package borrowing func requireUnchangedMounts() throws {
        guard let start, let path = try substitutes?.changedReadOnly(since: start) else { return }
        throw ExecutionError(
            .writtenReadOnly, "the command changed '\(path)', which is in a read-only mount",
            hint: "Write to another place, or give the mount the option 'rw'; what is written to it is lost either way."
        )
    }

    /// Takes out of the tree what was put into it.
    package consuming func leave() throws -> WorkingTree {
        let tree = tree
        if let substitutes { try substitutes.remove() }
        return tree
    }

    /// Files that every command sees in place of its image's own. `/proc` and `/sys` are empty: a
    /// copy would be wrong, and a mount is not to be had.
    private static func usual(_ spec: SandboxSpec) -> [ChrootSubstitute] {
        var substitutes = [
            ChrootSubstitute(target: "/proc", content: .directory(permissions: 0o555)),
            ChrootSubstitute(target: "/sys", content: .directory(permissions: 0o555)),
            ChrootSubstitute(target: "/dev", content: .devices),
        ]
        if let hosts = spec.hosts { substitutes.append(ChrootSubstitute(target: "/etc/hosts", content: .copy(hosts))) }
        if let resolvConf = spec.resolvConf {
            substitutes.append(ChrootSubstitute(target: "/etc/resolv.conf", content: .copy(resolvConf)))
        }
        return substitutes
    }

    private static func substitute(for mount: SandboxMount) throws -> ChrootSubstitute {
        switch mount.source {
        case .temporary:
            return ChrootSubstitute(
                target: mount.target, content: .directory(permissions: nil), isReadOnly: mount.isReadOnly)
        case .file(let content, let permissions, let owner, let group):
            return ChrootSubstitute(
                target: mount.target,
                content: .file(content: content, permissions: permissions, owner: owner, group: group),
                isReadOnly: mount.isReadOnly)
        case .bind(let path) where try FileStatus(of: path).type == .socket:
            return ChrootSubstitute(target: mount.target, content: .socket(path))
        case .bind(let path) where mount.isReadOnly:
            return ChrootSubstitute(target: mount.target, content: .copy(path), isReadOnly: true)
        case .bind, .tree:
            throw ExecutionError(
                .unsupported, "'\(mount.target)' cannot be mounted in a changed root",
                hint: "Use an isolation that can mount, see 'lamina doctor'.")
        }
    }
}
