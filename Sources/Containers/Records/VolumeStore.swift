import Diagnostics
import Linux
package import OCI
import Requests
package import Store
package import SystemPackage
import Trees

/// A directory of the store with a name, which containers share and which stays when they are gone.
package struct Volume: Hashable, Sendable {
    package let name: String
    /// The directory of its files.
    package let mountpoint: FilePath
    package let created: Timestamp
    package let labels: [String: String]

    /// Docker's mark of a volume that was made for one container.
    static let anonymousLabels = ["com.docker.volume.anonymous": ""]

    package var isAnonymous: Bool { labels["com.docker.volume.anonymous"] != nil }

    /// The sizes of its files, in bytes.
    package func bytes() throws -> Int64 { try Container.bytes(below: mountpoint) }
}

/// The volumes of a store: `volumes/<name>/data`, and `volume.json` beside it.
package struct VolumeStore: Sendable {
    private let store: StoreRoot

    package init(_ store: StoreRoot) { self.store = store }

    private var directory: FilePath { store.path.appending("volumes") }

    /// All volumes, by name.
    package func list() throws -> [Volume] {
        guard let opened = try? Directory(opening: directory) else { return [] }
        return try opened.names().compactMap { try find($0.text) }
    }

    package func find(_ name: String) throws -> Volume? {
        let place = directory.appending(name)
        guard let text = try? readText(place.appending("volume.json")), let json = try? JSON(parsing: text) else {
            return nil
        }
        return Volume(
            name: name, mountpoint: place.appending("data"),
            created: json["created"]?.string.flatMap(Timestamp.init(parsing:)) ?? Timestamp(seconds: 0),
            labels: Dictionary(json["labels"]?.stringMap ?? [], uniquingKeysWith: { $1 }))
    }

    /// The volume of a name, made if it is not there: `fill` gets its directory then. Of two that make it at once, one
    /// does.
    ///
    /// Throws ``ContainersError`` `.badName`.
    package func open(
        _ name: String, labels: [String: String] = [:], fill: (FilePath) throws -> Void = { _ in }
    ) throws -> Volume {
        if let known = try find(name) { return known }
        guard ContainerNames.isValid(name) else {
            throw ContainersError(
                .badName,
                "\"\(name)\" includes invalid characters for a local volume name, only "
                    + "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed")
        }
        do { try Directory(opening: store.path).makeDirectory("volumes", permissions: 0o711) } catch let error
            as LinuxError
            where error.code == .exists
        {}
        let new = try store.temporaryDirectory()
        let document = JSON.object(
            ("created", .string(Timestamp.now.description)), ("labels", JSON.sortedMap(labels)))
        let parent = try Directory(opening: new.path)
        try parent.makeDirectory("data", permissions: 0o755)
        try fill(new.path.appending("data"))
        try FileSystem.write(document.encoded(), to: new.path.appending("volume.json"))
        do {
            try Directory(opening: new.path.removingLastComponent()).rename(
                PathBytes(new.path.lastComponent?.string ?? ""), to: PathBytes(name),
                in: try Directory(opening: directory))
        } catch let error as LinuxError where error.errno == .directoryNotEmpty || error.code == .exists {}
        guard let made = try find(name) else {
            throw ContainersError(.corrupt, "the volume \(name) was removed while it was made")
        }
        return made
    }

    /// The containers that have a volume.
    package func users(of name: String) throws -> [Container] {
        try ContainerStore(store).list().filter { $0.record.request.volumes.volumes.contains { $0.name == name } }
    }

    /// Removes the volumes that were made for a container, which is gone, but those that another one has.
    func removeAnonymous(of record: ContainerRecord) { removeAnonymous(in: record.request.volumes) }

    func removeAnonymous(in settings: VolumeSettings) {
        for volume in settings.volumes where volume.isAnonymous {
            if let name = volume.name { try? remove(name) }
        }
    }

    /// Removes a volume and its files.
    ///
    /// Throws ``ContainersError`` `.volumeNotFound` and `.volumeInUse`.
    package func remove(_ name: String) throws {
        guard try find(name) != nil else {
            throw ContainersError(.volumeNotFound, "no such volume: \(name)", hint: "See 'lamina volume ls'.")
        }
        let users = try users(of: name)
        guard users.isEmpty else {
            throw ContainersError(
                .volumeInUse,
                "remove \(name): volume is in use - [\(users.map(\.id).joined(separator: ", "))]",
                hint: "Remove the containers first.")
        }
        let trash = try store.temporaryDirectory()
        try Directory(opening: directory).rename(
            PathBytes(name), to: "volume", in: try Directory(opening: trash.path))
        trash.remove()
    }
}
