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
        try walk(upper, try upper.listing(marks), "", into: &found)
        return found
    }

    private func walk(
        _ directory: borrowing Directory, _ listing: Whiteout.Listing, _ path: PathBytes, into found: inout [FoundFile]
    ) throws {
        for (name, isGone) in listing.names {
            let path = path.appending(name)
            if !excluded.isEmpty, excluded.contains(path) { continue }
            let status = isGone ? nil : try directory.status(name)
            guard let status, !status.isWhiteout else {
                found.append(FoundFile(LayerEntry(path: path, kind: .whiteout)))
                continue
            }
            guard
                var file = try FoundFile(
                    name, at: path, status, in: directory, readsAttributes: readsAttributes)
            else { continue }
            if let owner = recordedOwner(path) { (file.entry.owner, file.entry.group) = owner }
            file.isCopy = marks == .names && file.entry.attributes.contains { $0.name == Self.servedOrigin }
            let isOpaque = try takeOverlayAttributes(of: &file.entry)
            if let latestTime, file.entry.modified.seconds >= latestTime {
                file.entry.modified = FileTime(seconds: latestTime)
            }
            found.append(file)
            guard file.entry.kind == .directory else { continue }
            let child = try directory.directory(name, resolving: .noSymlinks)
            let listing = try child.listing(marks)
            if isOpaque || listing.isOpaque { found.append(FoundFile(LayerEntry(path: path, kind: .opaque))) }
            try walk(child, listing, path, into: &found)
        }
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
