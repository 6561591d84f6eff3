import Diagnostics
import Linux
package import OCI
package import Store
package import SystemPackage
import Trees

/// The containers of a store.
///
/// A container is a directory. It appears by a rename when it is complete, so that what is found is whole; names are
/// given and taken with the lock of all containers held.
package struct ContainerStore: Sendable {
    package let store: StoreRoot

    package init(_ store: StoreRoot) { self.store = store }

    private var directory: FilePath { store.containers }

    private func lock() throws -> FileLock { try FileLock(directory.appending("lock"), .exclusive) }

    /// All containers that can be read, the newest first.
    package func list() throws -> [Container] {
        guard let opened = try? Directory(opening: directory) else { return [] }
        return try opened.names().filter(Self.isID).compactMap { try readable($0.text) }
            .sorted { ($1.record.created.fileTime, $1.id) < ($0.record.created.fileTime, $0.id) }
    }

    /// The container of an ID; `nil` for one whose documents are damaged.
    private func readable(_ id: String) throws -> Container? {
        do { return try Container(in: directory.appending(id)) } catch let error as ContainersError
            where error.code == .corrupt
        { return nil } catch is JSONError { return nil }
    }

    /// Removes a container whose documents are damaged, by its ID. Returns whether there was one.
    package func removeDamaged(_ id: String) throws -> Bool {
        let place = directory.appending(id)
        guard Self.isID(PathBytes(id)), (try? Directory(opening: place)) != nil, try readable(id) == nil else {
            return false
        }
        try discard(id)
        return true
    }

    private static func isID(_ name: PathBytes) -> Bool {
        name.bytes.count == 64
            && name.bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The container that a user means by a name, an ID or the beginning of one.
    ///
    /// Throws ``ContainersError`` `.notFound` and `.ambiguous`.
    package func find(_ text: String) throws -> Container {
        let word = text.hasPrefix("/") ? String(text.dropFirst()) : text
        let all = try list()
        if let exact = all.first(where: { $0.id == word }) ?? all.first(where: { $0.record.name == word }) {
            return exact
        }
        let matches = word.isEmpty ? [] : all.filter { $0.id.hasPrefix(word) }
        guard matches.count < 2 else {
            throw ContainersError(
                .ambiguous, "'\(text)' is the beginning of several container IDs", hint: "Write more of the ID.")
        }
        guard let match = matches.first else {
            throw ContainersError(.notFound, "No such container: \(text)", hint: "See 'lamina ps -a'.")
        }
        return match
    }

    /// Adds a container. `record.name` may be empty for one that is chosen here; `fill` makes the files of its overlay.
    ///
    /// To be called with a lease. Throws ``ContainersError`` `.nameInUse` and `.badName`.
    package func create(
        _ record: ContainerRecord, _ config: ImageConfig, fill: (FilePath) throws -> Void
    ) throws -> Container {
        try makeDirectory()
        let new = try store.temporaryDirectory()
        try FileSystem.write(config.encoded, to: new.path.appending("image.json"))
        try FileSystem.write(ContainerState().json.encoded(), to: new.path.appending("state.json"))
        let uses = [record.image.description] + config.diffIDs.map(\.description)
        try FileSystem.write(Array(uses.joined(separator: "\n").utf8), to: new.path.appending("uses"))
        try fill(new.path)
        let lock = try lock()
        var record = record
        let names = Set(try list().map(\.record.name))
        if record.name.isEmpty { record.name = Self.newName(besides: names) }
        try requireFree(record.name, try list())
        try FileSystem.write(record.json.encoded(), to: new.path.appending("container.json"))
        let target = directory.appending(record.id)
        try Directory(opening: new.path.removingLastComponent()).rename(
            PathBytes(new.path.lastComponent?.string ?? ""), to: PathBytes(record.id),
            in: try Directory(opening: directory))
        _ = consume lock
        guard let container = try Container(in: target) else {
            throw ContainersError(.corrupt, "the container was removed while it was made")
        }
        return container
    }

    private func makeDirectory() throws {
        do {
            try Directory(opening: store.path).makeDirectory("containers", permissions: 0o700)
        } catch let error as LinuxError where error.code == .exists {
            return
        }
    }

    private static func newName(besides names: Set<String>) -> String {
        for _ in 0..<50 {
            let name = ContainerNames.random()
            if !names.contains(name) { return name }
        }
        return ContainerNames.random() + "_" + ContainerNames.digits(8)
    }

    private func requireFree(_ name: String, _ all: [Container]) throws {
        guard ContainerNames.isValid(name) else {
            throw ContainersError(
                .badName, "Invalid container name (\(name)), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
        }
        guard let other = all.first(where: { $0.record.name == name }) else { return }
        throw ContainersError(
            .nameInUse,
            "Conflict. The container name \"/\(name)\" is already in use by container \"\(other.id)\". You have to "
                + "remove (or rename) that container to be able to reuse that name.")
    }

    /// Gives a container another name.
    package func rename(_ container: Container, to name: String) throws {
        let lock = try lock()
        try requireFree(name, try list().filter { $0.id != container.id })
        var container = try container.reloaded()
        container.record.name = name
        try container.writeRecord()
        _ = consume lock
    }

    /// Removes a container that does not run, with its files and its log.
    ///
    /// Throws ``ContainersError`` `.isRunning`.
    ///
    /// One that `isKilled` may not have noted its end yet, which is waited for. With `takesVolumes`, its anonymous volumes
    /// go with it.
    package func remove(_ container: Container, isKilled: Bool = false, takesVolumes: Bool = false) throws {
        guard try isKilled || !container.reloaded().isRunning else { throw Self.running(container) }
        // Those who only look whether it is locked have it for a moment.
        let alive = try FileLock(container.alive, .exclusive)
        try discard(container)
        _ = consume alive
        if takesVolumes { VolumeStore(store).removeAnonymous(of: container.record) }
    }

    static func running(_ container: Container) -> ContainersError {
        ContainersError(
            .isRunning,
            "cannot remove container \"\(container.record.name)\": container is running: stop the container before "
                + "removing or force remove")
    }

    /// Removes the directory of a container, whose lock the caller has.
    func discard(_ container: Container) throws { try discard(container.id) }

    private func discard(_ id: String) throws {
        let lock = try lock()
        let trash = try store.temporaryDirectory()
        try Directory(opening: directory).rename(
            PathBytes(id), to: "container", in: try Directory(opening: trash.path))
        _ = consume lock
        trash.remove()
    }

    /// Removes containers that were to remove themselves, but whose supervisor was killed.
    package func removeAbandoned() {
        for container in (try? list()) ?? [] where container.record.removesItself && container.state.status == .exited {
            try? remove(container, takesVolumes: true)
        }
    }
}
