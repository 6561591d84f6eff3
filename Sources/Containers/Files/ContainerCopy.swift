import Diagnostics
import Dispatch
import Glibc
package import Images
import Layers
import Linux
import Store
import Synchronization
package import SystemPackage

/// Copies files between this machine and a container, as `docker cp` does.
package struct ContainerCopy: Sendable {
    /// A place on one of the two sides.
    package enum Place: Hashable, Sendable {
        /// An archive on the standard input or output.
        case stream
        case host(String)
        case container(String)
    }

    private let container: Container
    private let images: ImageTransfer
    /// Whether files keep their owners: else they are root's in a container, and the user's on this machine.
    package var keepsOwners = false
    /// Whether a link that is copied itself is followed.
    package var followsLinks = false

    package init(_ container: Container, images: ImageTransfer) {
        self.container = container
        self.images = images
    }

    /// Copies from one side to the other, of which one is the container.
    package func copy(_ source: Place, to target: Place) async throws {
        let lease = try images.store.lease()
        let files = try await ContainerFiles(container, images: images)
        try await offload {
            try files.withRoot { root in
                let inside = OpenPlace(root: try root.directory("."), isContainer: true)
                let outside = try OpenPlace(root: Directory(opening: "/"), isContainer: false)
                switch (source, target) {
                case (.container(let path), .stream):
                    try write(try Source(path, in: inside, followsLinks), as: nil, to: STDOUT_FILENO)
                case (.stream, .container(let path)):
                    guard let directory = try inside.directory(path) else { throw Self.missing(path) }
                    let input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                    try unpack(OwnedDescriptor(FileDescriptor(rawValue: input)), directory, inside)
                case (.container(let from), .host(let to)):
                    try transfer(try Source(from, in: inside, followsLinks), to, in: outside)
                case (.host(let from), .container(let to)):
                    try transfer(try Source(from, in: outside, followsLinks), to, in: inside)
                default: throw ContainersError(.badPath, "copying needs a container on one side")
                }
            }
        }
        _ = consume lease
    }

    /// Writes all files of the container as an archive, without those of volumes and of the sandbox.
    ///
    /// `-` is the standard output.
    package func export(to path: FilePath) async throws {
        let lease = try images.store.lease()
        let files = try await ContainerFiles(container, images: images)
        try await offload {
            try files.withRoot { root in
                let inside = try root.directory(".")
                try OutputFile.write(to: path) { output in
                    var archive = TreeArchive(to: output.rawValue)
                    try archive.addContents(of: inside, below: "", besides: files.mountPoints)
                    try archive.finish()
                }
            }
        }
        _ = consume lease
    }

    private static func missing(_ path: String) -> ContainersError {
        ContainersError(.badPath, "no such directory: \(path)", hint: "Make it first.")
    }

    private func transfer(_ source: Source, _ path: String, in place: OpenPlace) throws {
        let destination = try destination(of: source, path, in: place)
        let name = destination.name
        let pipe = try Pipe()
        let writing = fcntl(pipe.writing.number, F_DUPFD_CLOEXEC, 0)
        let output = DescriptorHolder(OwnedDescriptor(FileDescriptor(rawValue: writing)))
        let written = Mutex<Result<Void, any Error>>(.success(()))
        let group = DispatchGroup()
        let reading = pipe.closingWriting()
        DispatchQueue(label: "container.copy").async(group: group) {
            let result = Result { try write(source, as: name, to: writing) }
            written.withLock { $0 = result }
            // The reader waits for the end.
            output.close()
        }
        do { try unpack(reading, destination.directory, place) } catch {
            // A writer whose reader has failed has a failure of its own.
            group.wait()
            throw error
        }
        group.wait()
        try written.withLock { $0 }.get()
    }

    private struct Destination: ~Copyable {
        /// The directory that files go to.
        let directory: Directory
        /// The name of what is copied there; `nil` for the contents of a directory.
        let name: PathBytes?
    }

    private func destination(of source: Source, _ path: String, in place: OpenPlace) throws -> Destination {
        if let directory = try place.directory(path) {
            return Destination(directory: directory, name: source.isContents ? nil : source.name)
        }
        let clean = PathBytes(path.hasSuffix("/") ? String(path.dropLast()) : path)
        let above =
            clean.text.hasPrefix("/") && clean.parent.isEmpty ? "/" : clean.parent.isEmpty ? "." : clean.parent.text
        guard !path.hasSuffix("/") || source.isDirectory, let parent = try place.directory(above) else {
            throw Self.missing(path)
        }
        if source.isDirectory, try parent.statusIfExists(clean.lastComponent) != nil {
            throw ContainersError(.badPath, "cannot copy a directory to the file \(path)")
        }
        return Destination(directory: parent, name: clean.lastComponent)
    }

    private func write(_ source: Source, as name: PathBytes?, to number: CInt) throws {
        var archive = TreeArchive(to: number)
        if source.isContents {
            let directory = try source.openedDirectory()
            if let name { try archive.addDirectory(directory, as: name) }
            try archive.addContents(of: directory, below: name ?? "")
        } else if let file = source.followed {
            try archive.addFile(file.descriptor, as: name ?? source.name)
        } else {
            try archive.add(source.name, in: source.parent, as: name ?? source.name)
        }
        try archive.finish()
    }

    private func unpack(
        _ archive: consuming OwnedDescriptor, _ directory: borrowing Directory, _ place: OpenPlace
    ) throws {
        var applier = LayerApplier(.plain)
        applier.readsMarks = false
        applier.preservesOwners = IDMaps.canSetOwners
        applier.makesDevices = place.isContainer
        if !keepsOwners { applier.owner = place.isContainer ? (0, 0) : (geteuid(), getegid()) }
        _ = try applier.apply(DescriptorStream(archive), to: directory)
    }
}

/// The files of one side.
private final class OpenPlace: Sendable {
    private let root: Directory
    let isContainer: Bool

    init(root: consuming Directory, isContainer: Bool) {
        self.root = root
        self.isContainer = isContainer
    }

    /// The directory at a path, links followed; `nil` when there is none.
    func directory(_ path: String) throws -> Directory? {
        do {
            if isContainer { return try root.directory(PathBytes(path), resolving: .inRoot) }
            return try Directory(opening: FilePath(path))
        } catch let error as LinuxError where error.code == .notFound {
            return nil
        }
    }

    /// The file at a path, links followed.
    func open(_ path: String) throws -> OwnedDescriptor {
        isContainer ? try root.open(PathBytes(path), resolving: .inRoot) : try .open(FilePath(path))
    }
}

/// The source of a copy.
private final class Source: Sendable {
    let parent: Directory
    let name: PathBytes
    let isDirectory: Bool
    /// Whether the files in the directory are meant, and not it itself.
    let isContents: Bool
    let directory: Directory?
    /// The file that a link which is followed leads to.
    let followed: SharedDescriptor?

    init(_ path: String, in place: OpenPlace, _ followsLinks: Bool) throws {
        let isContents = path == "." || path == "/" || path.hasSuffix("/.")
        var trimmed = path
        while trimmed.count > 1, trimmed.hasSuffix("/") || trimmed.hasSuffix("/.") {
            trimmed.removeLast(trimmed.hasSuffix("/.") ? 2 : 1)
        }
        let whole = PathBytes(trimmed)
        let above = trimmed.contains("/") ? (whole.parent.isEmpty ? "/" : whole.parent.text) : "."
        guard let parent = try place.directory(above) else { throw Self.missing(path) }
        let name = whole.lastComponent
        if isContents || path.hasSuffix("/") || name == ".." || name.isEmpty {
            directory = try place.directory(path)
            guard directory != nil else { throw Self.missing(path) }
            self.isContents = isContents || name == ".." || name.isEmpty
            isDirectory = true
            followed = nil
        } else {
            guard let status = try parent.statusIfExists(name) else { throw Self.missing(path) }
            let isFollowed = status.type == .symlink && followsLinks
            directory = isFollowed ? try place.directory(path) : nil
            let leadsToDirectory = directory != nil
            isDirectory = status.type == .directory || leadsToDirectory
            // The target is copied under the name of the link.
            self.isContents = leadsToDirectory
            followed = isFollowed && !leadsToDirectory ? SharedDescriptor(try place.open(path)) : nil
        }
        self.parent = parent
        self.name = name
    }

    /// The directory whose contents are copied.
    func openedDirectory() throws -> Directory {
        switch directory {
        case .some(let directory): return try directory.directory(".")
        case .none: return try parent.directory(name, resolving: .noSymlinks)
        }
    }

    private static func missing(_ path: String) -> ContainersError {
        ContainersError(.badPath, "Could not find the file \(path)")
    }
}

/// A descriptor that is closed before the last of its owners is gone.
private final class DescriptorHolder: Sendable {
    private let descriptor: Mutex<OwnedDescriptor?>

    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = Mutex(descriptor) }

    func close() { descriptor.withLock { $0 = nil } }
}
