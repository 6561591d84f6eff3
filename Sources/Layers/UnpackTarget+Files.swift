import Diagnostics
import Glibc
import Linux
import SystemPackage

extension UnpackTarget {
    func addDirectory(_ entry: LayerEntry, _ name: PathBytes, in parent: OpenDirectory) throws {
        do {
            try parent.directory.makeDirectory(name, permissions: entry.permissions)
        } catch let error as LinuxError where error.code == .exists {
            let status = try parent.directory.status(name)
            if status.type != .directory {
                try removeExisting(name, in: parent)
                try parent.directory.makeDirectory(name, permissions: entry.permissions)
                if isWhiteout(status) { try makeOpaque(name, in: parent) }
            }
        }
        try setMetadata(entry, name, in: parent)
    }

    func addFile(
        _ entry: LayerEntry, _ name: PathBytes, in parent: OpenDirectory, content: Content
    ) throws -> UInt64 {
        let file = try create(name, in: parent)
        do { try space.spend(entry.size, on: file.raw) } catch let error as LinuxError where error.code == .noSpace {
            throw LinuxError(
                error.code, "cannot unpack '/\(entry.path.text)': \(error.message)", hint: error.hint, cause: error)
        }
        var end: Int64 = 0
        var hasHoles = false
        let hash = try content {
            try file.write($0)
            end += Int64($0.count)
        } _: {
            end += $0
            hasHoles = true
            try file.seek(to: end)
        }
        if hasHoles { try check("extend", entry.path) { ftruncate(file.number, Int(end)) } }
        try setMetadata(entry, of: file, name, in: parent)
        return hash
    }

    /// A new empty file in place of whatever is there.
    private func create(_ name: PathBytes, in parent: OpenDirectory) throws -> OwnedDescriptor {
        let flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW
        do {
            return try parent.directory.open(name, flags, mode: 0o600, resolving: .noSymlinks)
        } catch let error as LinuxError where error.code == .exists {
            try removeExisting(name, in: parent)
            return try parent.directory.open(name, flags, mode: 0o600, resolving: .noSymlinks)
        }
    }

    func addOther(_ entry: LayerEntry, _ name: PathBytes, in parent: OpenDirectory) throws {
        let isDevice = entry.kind == .characterDevice || entry.kind == .blockDevice
        if isDevice, !options.makesDevices {
            missingDevices.insert(entry.path)
            return try removeExisting(name, in: parent)
        }
        do {
            try replacing(name, in: parent) { try makeNode(entry, name, in: parent.directory) }
        } catch let error as LinuxError where error.code == .permission && isDevice {
            // Without the privilege to make devices, as in a user namespace, the image does without.
            missingDevices.insert(entry.path)
            return
        }
        try setMetadata(entry, name, in: parent)
    }

    private func makeNode(_ entry: LayerEntry, _ name: PathBytes, in directory: borrowing Directory) throws {
        let type: Linux.FileType
        switch entry.kind {
        case .symlink: return try directory.makeSymlink(name, to: entry.linkTarget)
        case .characterDevice: type = .characterDevice
        case .blockDevice: type = .blockDevice
        default: type = .fifo
        }
        try directory.makeNode(
            name, type, permissions: entry.permissions, major: entry.deviceMajor, minor: entry.deviceMinor)
    }

    func addHardLink(_ entry: inout LayerEntry, _ name: PathBytes, in parent: OpenDirectory) throws {
        let wanted = entry.linkTarget
        let source = wanted.lastComponent
        if let directory = try existingDirectory(at: wanted.parent) {
            let path = directory.path.appending(source)
            if let status = try directory.directory.statusIfExists(source), !isWhiteout(status) {
                entry.linkTarget = path
                guard path != entry.path else { throw LayerError.hardLinkToItself(path) }
                return try replacing(name, in: parent) {
                    try parent.directory.makeHardLink(name, to: source, in: directory.directory)
                }
            }
        }
        if let copy = copies[wanted], copy != entry.path, let directory = try existingDirectory(at: copy.parent) {
            return try replacing(name, in: parent) {
                try parent.directory.makeHardLink(name, to: copy.lastComponent, in: directory.directory)
            }
        }
        if missingDevices.contains(wanted) {
            missingDevices.insert(entry.path)
            return try removeExisting(name, in: parent)
        }
        try copyFromBelow(entry, name, in: parent)
        copies[wanted] = entry.path
    }

    private func copyFromBelow(_ entry: LayerEntry, _ name: PathBytes, in parent: OpenDirectory) throws {
        if var other = try options.missingLinkEntry(entry.linkTarget) {
            other.path = entry.path
            return try addOther(other, name, in: parent)
        }
        guard let source = try options.missingLinkSource(entry.linkTarget) else {
            throw LayerError(
                .damaged, "'/\(entry.path.text)' is a hard link to '/\(entry.linkTarget.text)', which does not exist")
        }
        guard var metadata = LayerEntry(path: entry.path, status: try source.status()) else {
            throw LayerError(.damaged, "'/\(entry.path.text)' is a hard link to something that is no file")
        }
        metadata.attributes = entry.attributes
        let file = try create(name, in: parent)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = try source.read(into: &buffer)
            if count == 0 { break }
            try file.write(buffer.span.extracting(0..<count))
        }
        try setMetadata(metadata, of: file, name, in: parent)
    }
}

// MARK: Metadata

extension UnpackTarget {
    /// Owner, permissions, attributes and time, in this order: each may undo what comes after it.
    func setMetadata(_ entry: LayerEntry, _ name: PathBytes, in parent: OpenDirectory) throws {
        let directory = parent
        if options.preservesOwners { try directory.directory.setOwner(name, entry.owner, entry.group) }
        if entry.kind != .symlink { try directory.directory.setPermissions(name, entry.permissions) }
        try setAttributes(entry, name, in: parent)
        if entry.kind == .directory {
            times.append((entry.path, entry.modified))
        } else {
            try directory.directory.setModified(name, entry.modified)
        }
    }

    /// The same for an open file, without looking its name up each time.
    private func setMetadata(
        _ entry: LayerEntry, of file: borrowing OwnedDescriptor, _ name: PathBytes, in parent: OpenDirectory
    ) throws {
        let number = file.number
        if options.preservesOwners {
            try check("change the owner of", entry.path) { fchown(number, entry.owner, entry.group) }
        }
        try check("chmod", entry.path) { fchmod(number, entry.permissions) }
        try setAttributes(entry, name, in: parent)
        try parent.directory.setModified(name, entry.modified)
    }

    private func setAttributes(_ entry: LayerEntry, _ name: PathBytes, in parent: OpenDirectory) throws {
        for attribute in entry.attributes {
            do {
                try parent.directory.setExtendedAttribute(name, attribute)
            } catch let error as LinuxError where error.errno == .notSupported {
                // The file system has no attributes of this kind.
            } catch let error as LinuxError
                where error.code == .permission
                && !(options.preservesOwners && attribute.name == "security.capability")
            {
                // Only root may set it, or it cannot be on a file of this type; programs without their capabilities
                // would not work, so these are not dropped silently.
            }
        }
    }
}

// MARK: What is there already

extension UnpackTarget {
    /// Makes something and, if there is something of that name, removes that and tries again.
    private func replacing(_ name: PathBytes, in parent: OpenDirectory, _ make: () throws -> Void) throws {
        do {
            try make()
        } catch let error as LinuxError where error.code == .exists {
            try removeExisting(name, in: parent)
            try make()
        }
    }

    private func removeExisting(_ name: PathBytes, in parent: OpenDirectory) throws {
        // It may be what the cache has open.
        cachedParent = nil
        try parent.directory.removeTree(name)
    }

    /// Whether this is a whiteout that the layer left here.
    func isWhiteout(_ status: FileStatus) -> Bool {
        options.form != .plain && status.isWhiteout
    }
}
