import Diagnostics
import Linux

/// An open directory that several may hold.
final class OpenDirectory {
    let directory: Directory
    /// From the root of the layer, without links.
    let path: PathBytes

    init(_ directory: consuming Directory, path: PathBytes) {
        self.directory = directory
        self.path = path
    }

    func child(_ name: PathBytes) throws -> OpenDirectory {
        OpenDirectory(try directory.directory(name, resolving: .noSymlinks), path: path.appending(name))
    }

    /// Longer paths are opened in pieces, as the kernel takes at most 4,095 bytes.
    private static let maximumPath = 4000

    /// Opens a directory below this one to which no links lead.
    func descendant(_ path: PathBytes) throws -> OpenDirectory {
        guard !path.isEmpty else { return self }
        if path.bytes.count <= Self.maximumPath {
            return OpenDirectory(
                try directory.directory(path, resolving: .noSymlinks), path: self.path.appending(path))
        }
        return try path.components.reduce(self) { try $0.child($1) }
    }
}

extension UnpackTarget {
    /// The directory that holds the path, made if need be.
    func parent(of path: PathBytes) throws -> OpenDirectory {
        let requested = path.parent
        if let cachedParent, cachedParent.requested == requested { return cachedParent.directory }
        let directory = try directory(at: requested)
        cachedParent = (requested, directory)
        return directory
    }

    /// The directory at a path, made if need be.
    func directory(at path: PathBytes) throws -> OpenDirectory {
        do { return try open(path) } catch let error as LinuxError where error.isMissingOrLink {}
        guard let directory = try resolve(path, creating: true) else { return root }
        return directory
    }

    /// The directory at a path; `nil` when there is none.
    func existingDirectory(at path: PathBytes) throws -> OpenDirectory? {
        do { return try open(path) } catch let error as LinuxError where error.isMissingOrLink {}
        return try resolve(path, creating: false)
    }

    /// Opens a directory to which no links lead.
    func open(_ path: PathBytes) throws -> OpenDirectory {
        try root.descendant(path)
    }

    /// Walks a path step by step, following the layer's links as if the target were the root of the file system.
    private func resolve(_ path: PathBytes, creating: Bool) throws -> OpenDirectory? {
        var pending = Array(path.components.reversed())
        var current = root
        var (links, steps) = (0, 0)
        while let name = pending.popLast() {
            steps += 1
            if name == "." { continue }
            if name == ".." {
                current = try open(current.path.parent)
                continue
            }
            switch try step(to: name, from: current, creating: creating) {
            case .directory(let next): current = next
            case .nothing: return nil
            case .link(let target):
                links += 1
                guard links <= PathBytes.linkLimit, steps + pending.count <= PathBytes.stepLimit else {
                    throw LayerError(.unsafePath, "the links on the way to '/\(path.text)' never end")
                }
                if target.hasPrefix("/") { current = root }
                pending += target.components.reversed()
            }
        }
        return current
    }

    private enum Step {
        case directory(OpenDirectory)
        case link(PathBytes)
        case nothing
    }

    private func step(to name: PathBytes, from parent: OpenDirectory, creating: Bool) throws -> Step {
        let path = parent.path.appending(name)
        if let status = try parent.directory.statusIfExists(name) {
            switch status.type {
            case .directory: return .directory(try parent.child(name))
            case .symlink where isOwn(path): return .link(try parent.directory.linkTarget(name))
            default: break
            }
            guard creating else { return .nothing }
            guard isWhiteout(status) || !isOwn(path) else {
                throw LayerError(.damaged, "'/\(path.text)' in the layer is not a directory but has files in it")
            }
            try parent.directory.unlink(name)
            try makeImplied(LayerEntry(path: path, kind: .directory, permissions: 0o755), name, in: parent)
            try makeOpaque(name, in: parent)
            return .directory(try parent.child(name))
        }
        if named.contains(path) {
            guard creating else { return .nothing }
            _ = try takeNamedMark(of: path, name, in: parent)
            try makeImplied(LayerEntry(path: path, kind: .directory, permissions: 0o755), name, in: parent)
            try makeOpaque(name, in: parent)
            return .directory(try parent.child(name))
        }
        guard creating else { return .nothing }
        var entry = LayerEntry(path: path, kind: .directory, permissions: 0o755)
        if let below = try options.missingParent(path), below.kind == .directory { entry = below }
        entry.path = path
        try makeImplied(entry, name, in: parent)
        return .directory(try parent.child(name))
    }

    /// Whether the layer brought what is at a path. In an overlay's directory there is nothing else.
    private func isOwn(_ path: PathBytes) -> Bool { options.form != .plain || made.contains(path) }

    /// Makes a directory that the layer does not hold itself.
    private func makeImplied(_ entry: LayerEntry, _ name: PathBytes, in parent: OpenDirectory) throws {
        try parent.directory.makeDirectory(name, permissions: entry.permissions)
        note(entry.path)
        try setMetadata(entry, name, in: parent)
    }
}
