import Diagnostics
import Glibc
import Layers
import Linux
import SystemPackage

/// Writes files of a directory as an archive.
struct TreeArchive: ~Copyable {
    private var tar: TarWriter<DescriptorOutput>

    /// Writes to a descriptor, which stays open.
    init(to number: CInt) { tar = TarWriter(DescriptorOutput(number: number)) }

    /// Adds a name of a directory as `path`, with all below it.
    mutating func add(_ name: PathBytes, in parent: borrowing Directory, as path: PathBytes) throws {
        let status = try parent.status(name)
        guard var entry = LayerEntry(path: path, status: status) else {
            throw ContainersError(.badPath, "'\(name)' is a socket, which no archive can hold")
        }
        entry.attributes = try parent.extendedAttributes(name)
        if entry.kind == .symlink { entry.linkTarget = try parent.linkTarget(name) }
        try tar.writeHeader(entry)
        switch entry.kind {
        case .directory: try addContents(of: try parent.directory(name, resolving: .noSymlinks), below: path)
        case .regular: _ = try tar.writeContent(of: entry, from: try parent.open(name, resolving: .noSymlinks))
        default: break
        }
    }

    /// Adds an open directory as `path`, without what is in it.
    mutating func addDirectory(_ directory: borrowing Directory, as path: PathBytes) throws {
        guard let entry = LayerEntry(path: path, status: try directory.descriptor.status()) else { return }
        try tar.writeHeader(entry)
    }

    /// Adds an open regular file as `path`.
    mutating func addFile(_ file: borrowing OwnedDescriptor, as path: PathBytes) throws {
        guard let entry = LayerEntry(path: path, status: try file.status()), entry.kind == .regular else {
            throw ContainersError(.badPath, "'\(path)' is no regular file")
        }
        try tar.writeHeader(entry)
        _ = try tar.writeContent(of: entry, from: file)
    }

    /// Adds all that is in a directory, but for some paths in it.
    mutating func addContents(
        of directory: borrowing Directory, below path: PathBytes, besides excluded: Set<PathBytes> = []
    ) throws {
        let files = try FileOpener(directory)
        var differ = LayerDiffer()
        differ.excluded = excluded
        for member in try differ.find(directory).members {
            var entry = member
            entry.path = path.appending(member.path)
            if entry.kind == .hardLink { entry.linkTarget = path.appending(member.linkTarget) }
            try tar.writeHeader(entry)
            if entry.kind == .regular { _ = try tar.writeContent(of: entry, from: files.open(member.path)) }
        }
    }

    consuming func finish() throws { _ = try tar.finish() }
}

private struct DescriptorOutput: ByteSink {
    let number: CInt

    func write(_ bytes: Span<UInt8>) throws {
        do {
            try unsafe bytes.withUnsafeBytes { _ = try unsafe FileDescriptor(rawValue: number).writeAll($0) }
        } catch let error as Errno {
            throw LinuxError(error, "write", "an archive")
        }
    }
}
