import Diagnostics
import Layers
import Linux
package import SystemPackage

/// Copies files of an image into a directory of this machine.
///
/// Files belong to the user who runs the program, keep their times, and lose the bits for setuid, setgid and sticky.
/// Nothing
/// that exists is replaced, and no link is followed on the way, so nothing is written outside the directory.
package struct FileExtraction: ~Copyable {
    /// The counts of what was written.
    package struct Summary: Hashable, Sendable {
        package var files = 0
        package var bytes: Int64 = 0
        /// Devices and FIFOs, which are not made.
        package var skipped = 0
    }

    /// A file in the target directory that gets the content of a file of a layer.
    private struct Target {
        let path: PathBytes
        let entry: LayerEntry
    }

    private let image: InspectedImage
    private let files: ScopedFiles
    private let root: Directory
    private var summary = Summary()
    /// By layer and index in its file list, the files that get its content.
    private var wanted: [Int: [Int: [Target]]] = [:]
    /// Directories with the permissions and the time that they get at the end.
    private var directories: [Target] = []
    private var space = SpaceGuard()

    /// Copies a file or a directory with all in it under the name that it has, or the root's files themselves.
    ///
    /// The directory is made if it is not there. Throws ``InspectorError`` `.exists` when the name is taken.
    package static func extract(
        _ node: Int, of files: ScopedFiles, from image: InspectedImage, into path: FilePath
    ) throws -> Summary {
        if let name = path.lastComponent, name.kind == .regular {
            let parent = path.removingLastComponent()
            do {
                try Directory(opening: parent.isEmpty ? "." : parent)
                    .makeDirectory(PathBytes(name.string), permissions: 0o755)
            } catch let error as LinuxError where error.code == .exists {}
        }
        var extraction = FileExtraction(image: image, files: files, root: try Directory(opening: path))
        try extraction.run(node)
        return extraction.summary
    }

    private init(image: InspectedImage, files: ScopedFiles, root: consuming Directory) {
        self.image = image
        self.files = files
        self.root = root
    }

    private mutating func run(_ node: Int) throws {
        if node == ImageTree.root {
            guard try root.names().isEmpty else {
                throw InspectorError(.exists, "the directory is not empty", hint: "Name a new directory.")
            }
        } else {
            let name = PathBytes(files.tree.name(of: node))
            guard try root.statusIfExists(name) == nil else {
                throw InspectorError(
                    .exists, "'\(name.text)' is in the directory already", hint: "Name another directory.")
            }
        }
        try makeTree(node)
        for layer in wanted.keys.sorted() { try write(layer) }
        for target in directories.reversed() {
            let parent = try directory(target.path.parent)
            try parent.setPermissions(target.path.lastComponent, target.entry.permissions & 0o777)
            try parent.setModified(target.path.lastComponent, target.entry.modified)
        }
    }

    private func directory(_ path: PathBytes) throws -> Directory {
        try root.directory(path.isEmpty ? "." : path, resolving: .noSymlinks)
    }

    /// Makes the directories and the links, and notes the files.
    private mutating func makeTree(_ top: Int) throws {
        let tree = files.tree
        // The path of a directory of the image in the target.
        let prefix = tree.path(of: top).parent.bytes.count
        var pending = top == ImageTree.root ? files.children(of: top).reversed() : [top]
        while let node = pending.popLast() {
            guard let file = files.file(at: node) else { continue }
            let entry = tree.entry(of: file, at: node)
            let path = PathBytes(tree.path(of: node).bytes[(prefix == 0 ? 0 : prefix + 1)...])
            let name = path.lastComponent
            guard !name.isEmpty, name != ".", name != ".." else {
                throw InspectorError(.wrongKind, "'/\(path.text)' is no name for a file")
            }
            switch entry.kind {
            case .directory:
                try directory(path.parent).makeDirectory(name, permissions: 0o700)
                directories.append(Target(path: path, entry: entry))
                pending += files.children(of: node).reversed()
            case .symlink:
                let parent = try directory(path.parent)
                try parent.makeSymlink(name, to: entry.linkTarget)
                try parent.setModified(name, entry.modified)
                summary.files += 1
            case .regular, .hardLink:
                guard let place = image.place(of: file) else {
                    throw InspectorError(
                        .noSuchFile, "'/\(tree.path(of: node).text)' is a hard link to a file that does not exist")
                }
                wanted[place.layer, default: [:]][place.entry, default: []]
                    .append(Target(path: path, entry: image.entry(at: place)))
            case .characterDevice, .blockDevice, .fifo, .whiteout, .opaque: summary.skipped += 1
            }
        }
    }

    /// Writes the files that have their content in a layer: from its directory, or in one pass over its blob.
    private mutating func write(_ layer: Int) throws {
        guard var missing = wanted[layer] else { return }
        if try image.contents.directory(of: layer) != nil || isQuickOneByOne(missing, layer) {
            for (index, targets) in missing.sorted(by: { $0.key < $1.key }) {
                try copy(ContentPlace(layer: layer, entry: index), to: targets)
            }
            return
        }
        guard let blob = try image.contents.blob(of: layer) else {
            throw InspectedImage.missing(missing.first?.value.first?.entry.path ?? "", layer)
        }
        try LayerReader.forEachFile(in: blob) { entry, content in
            guard let (index, recorded) = image.recorded(entry, in: layer), let targets = missing[index] else {
                return true
            }
            let file = try create(targets)
            guard try image.contents.read(content, of: recorded, { try file.write($0) }) else {
                throw InspectedImage.missing(entry.path, layer)
            }
            try finish(targets)
            missing[index] = nil
            return !missing.isEmpty
        }
        for (index, targets) in missing { try copy(ContentPlace(layer: layer, entry: index), to: targets) }
    }

    /// Whether few files are wanted of a layer that has them by themselves.
    private func isQuickOneByOne(_ missing: [Int: [Target]], _ layer: Int) throws -> Bool {
        guard missing.count <= 50, let first = missing.keys.first else { return false }
        return try image.contents.file(image.tree.entry(first, of: layer), of: layer) != nil
    }

    private mutating func copy(_ place: ContentPlace, to targets: [Target]) throws {
        let file = try create(targets)
        try image.read(place) { bytes in
            try file.write(bytes)
            return true
        }
        try finish(targets)
    }

    /// Creates the first of the files that have one content.
    private mutating func create(_ targets: [Target]) throws -> OwnedDescriptor {
        let path = targets.first?.path ?? ""
        let file = try directory(path.parent).create(path.lastComponent, permissions: 0o600)
        try space.spend(targets.first?.entry.size ?? 0, on: file.raw)
        return file
    }

    /// Gives the first of the files its metadata, and makes the others hard links to it.
    private mutating func finish(_ targets: [Target]) throws {
        guard let first = targets.first else { return }
        let parent = try directory(first.path.parent)
        let name = first.path.lastComponent
        try parent.setPermissions(name, first.entry.permissions & 0o777)
        try parent.setModified(name, first.entry.modified)
        for other in targets.dropFirst() {
            try directory(other.path.parent).makeHardLink(other.path.lastComponent, to: name, in: parent)
        }
        summary.files += targets.count
        summary.bytes &+= first.entry.size
    }
}
