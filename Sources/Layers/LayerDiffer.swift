import Diagnostics
import Glibc
package import Linux

/// Finds out what is in a directory: the upper directory of an overlay, where it is what changed, or any tree.
///
/// A character device 0:0 is a whiteout, and the attribute `opaque` makes a directory opaque, as the kernel's
/// `Documentation/filesystems/overlayfs.rst` says; with ``OverlayMarks/names``, files of such names are the same. Names
/// of one file become hard links to the first of them. Sockets are left out, as is the directory itself.
package struct LayerDiffer {
    /// How the tree says what is gone.
    package var marks: OverlayMarks
    /// Whether extended attributes are read, which takes as long as the rest. Without, no attribute makes a directory
    /// opaque.
    package var readsAttributes = true
    /// The attribute that fuse-overlayfs gives to a regular file that it copies from below.
    package static let servedOrigin: PathBytes = "user.fuseoverlayfs.origin"

    /// Later times are replaced by this one; in seconds since the epoch.
    package var latestTime: Int64?
    /// Paths that are left out, with everything below.
    package var excluded: Set<PathBytes>

    /// The owner of a file where the tree cannot say, because all its files belong to the user that made them. `nil` for
    /// a file that nothing is known about.
    package var recordedOwner: (PathBytes) -> (user: UInt32, group: UInt32)? = { _ in nil }

    package init(_ marks: OverlayMarks = .trusted, latestTime: Int64? = nil, excluded: Set<PathBytes> = []) {
        self.marks = marks
        self.latestTime = latestTime
        self.excluded = excluded
    }

    /// Adds all that is below `upper` to the layer, in the order of a walk with sorted names.
    ///
    /// Throws ``LayerError`` `.fileChanged` when a file changes its size meanwhile, and what ``find(_:)`` throws.
    package func diff(_ upper: borrowing Directory, into writer: inout LayerWriter) throws {
        try writer.add(try find(upper).members, from: upper)
    }

    /// All that is below `upper`, in the order of a walk with sorted names.
    ///
    /// Throws ``LayerError`` `.unsupported` when overlayfs was mounted with `metacopy` or `redirect_dir`, so that the
    /// upper directory alone does not tell what changed.
    package func find(_ upper: borrowing Directory) throws -> [FoundFile] {
        var found: [FoundFile] = []
        let walk = try DirectoryStack(upper)
        var open = [(path: PathBytes(""), rest: try upper.listing(marks).names[...])]
        while !open.isEmpty {
            guard let (name, isGone) = open[open.count - 1].rest.popFirst() else {
                open.removeLast()
                if !open.isEmpty { try walk.leave() }
                continue
            }
            let path = open[open.count - 1].path.appending(name)
            if !excluded.isEmpty, excluded.contains(path) { continue }
            guard let isOpaque = try look(at: name, isGone: isGone, path, in: walk.current, &found) else { continue }
            guard open.count < PathBytes.depthLimit else { throw LayerError.tooDeep }
            try walk.enter(name)
            let listing = try walk.current.directory.listing(marks)
            if isOpaque || listing.isOpaque { found.append(FoundFile(LayerEntry(path: path, kind: .opaque))) }
            open.append((path, listing.names[...]))
        }
        return found
    }

    /// Notes a file. For a directory, says whether its attributes make it opaque; otherwise the result is `nil`.
    private func look(
        at name: PathBytes, isGone: Bool, _ path: PathBytes, in parent: DirectoryStack.Level, _ found: inout [FoundFile]
    ) throws -> Bool? {
        let status = isGone ? nil : try parent.directory.status(name)
        guard let status, !status.isWhiteout else {
            found.append(FoundFile(LayerEntry(path: path, kind: .whiteout)))
            return nil
        }
        guard
            var file = try FoundFile(name, at: path, status, in: parent.directory, readsAttributes: readsAttributes)
        else { return nil }
        if let owner = recordedOwner(path) { (file.entry.owner, file.entry.group) = owner }
        file.isCopy = marks == .names && file.entry.attributes.contains { $0.name == Self.servedOrigin }
        let isOpaque = try takeOverlayAttributes(of: &file.entry)
        if let latestTime, file.entry.modified.seconds >= latestTime {
            file.entry.modified = FileTime(seconds: latestTime)
        }
        found.append(file)
        return file.entry.kind == .directory ? isOpaque : nil
    }

    /// Removes the attributes that do not belong to a layer, and says whether they make the directory opaque.
    private func takeOverlayAttributes(of entry: inout LayerEntry) throws -> Bool {
        var isOpaque = false
        var own: [ExtendedAttribute] = []
        for attribute in entry.attributes {
            if marks == .names, OverlayAttribute.isOfServer(attribute.name) { continue }
            guard OverlayAttribute.isInternal(attribute.name) else {
                own.append(attribute)
                continue
            }
            // What a command itself sets under such a name has one more "overlay." in it, and means nothing.
            if OverlayAttribute.names("opaque").contains(attribute.name) {
                isOpaque = isOpaque || (entry.kind == .directory && attribute.value == [UInt8(ascii: "y")])
            } else if (OverlayAttribute.names("redirect") + OverlayAttribute.names("metacopy"))
                .contains(attribute.name)
            {
                throw LayerError(
                    .unsupported, "'/\(entry.path.text)' refers to the layers below it by '\(attribute.name.text)'",
                    hint: "Mount the overlay with redirect_dir=off,metacopy=off.")
            }
        }
        entry.attributes = own
        return isOpaque
    }
}

extension OverlayMarks {
    /// Whether a directory, or one above it, hides those of the layers below `root`.
    package func isOpaque(_ path: PathBytes, in root: borrowing Directory) throws -> Bool {
        var path = path
        while !path.isEmpty {
            if self == .names, try root.statusIfExists(path.appending(Whiteout.opaque)) != nil { return true }
            let names = try root.statusIfExists(path) == nil ? [] : root.extendedAttributes(path).map(\.name)
            if names.contains(where: OverlayAttribute.names("opaque").contains) { return true }
            path = path.parent
        }
        return false
    }
}

extension Directory {
    fileprivate func listing(_ marks: OverlayMarks) throws -> Whiteout.Listing {
        marks == .names ? Whiteout.Listing(try names()) : Whiteout.Listing(files: try names())
    }
}

extension FileStatus {
    /// Whether it is what overlays have in place of a file that is gone.
    var isWhiteout: Bool { type == .characterDevice && deviceMajor == 0 && deviceMinor == 0 }
}
