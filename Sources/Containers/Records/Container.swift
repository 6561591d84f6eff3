import Diagnostics
import Linux
package import OCI
package import SystemPackage
import Trees

/// A container: its record, and its state as it was when it was looked up.
package struct Container: Sendable {
    /// ```
    /// container.json   what it was made from
    /// state.json       what has become of it
    /// image.json       the config of its image
    /// uses             what the collector must leave, see `ContainerUse`
    /// fs, work         its changes, the upper directory of an overlay
    /// log              what its command has written
    /// alive            locked by its supervisor
    /// turn             locked by a process that starts it, or works on its files while it does not run
    /// control          the socket of its supervisor
    /// ```
    package let directory: FilePath
    package internal(set) var record: ContainerRecord
    package let state: ContainerState

    package var id: String { record.id }
    package var shortID: String { String(record.id.prefix(12)) }
    package var isRunning: Bool { state.status == .running }

    var alive: FilePath { directory.appending("alive") }
    package var log: FilePath { directory.appending("log") }

    /// Reads a container; `nil` when there is none in the directory, or it is still being made.
    init?(in directory: FilePath) throws {
        guard let record = try Self.document("container.json", in: directory) else { return nil }
        self.directory = directory
        self.record = try ContainerRecord(json: record)
        guard let state = try Self.state(in: directory) else { return nil }
        self.state = state
    }

    private static func document(_ name: String, in directory: FilePath) throws -> JSON? {
        do { return try JSON(parsing: readText(directory.appending(name))) } catch let error as LinuxError
            where error.code == .notFound
        { return nil }
    }

    /// The state as its supervisor has written it; `nil` when the container is being removed.
    static func recordedState(in directory: FilePath) throws -> ContainerState? {
        guard let json = try document("state.json", in: directory) else { return nil }
        guard let state = ContainerState(json: json) else {
            throw ContainersError(
                .corrupt, "the state of a container cannot be read", hint: "Remove the container with 'lamina rm -f'.")
        }
        return state
    }

    /// A supervisor that is gone has not said how its container ended. It locks before it writes that it runs.
    private static func state(in directory: FilePath) throws -> ContainerState? {
        guard let state = try recordedState(in: directory), state.status == .running else {
            return try recordedState(in: directory)
        }
        guard try FileLock.attempt(directory.appending("alive"), .shared) != nil else { return state }
        // It may have ended between the two.
        guard let later = try recordedState(in: directory), later.status == .running else {
            return try recordedState(in: directory)
        }
        return later.abandoned()
    }

    /// The container as it is now.
    ///
    /// Throws ``ContainersError`` `.notFound` when it was removed.
    package func reloaded() throws -> Container {
        guard let container = try Container(in: directory) else {
            throw ContainersError(.notFound, "No such container: \(record.name)")
        }
        return container
    }

    func write(_ state: ContainerState) throws {
        try FileSystem.write(state.json.encoded(), to: directory.appending("state.json"))
    }

    func writeRecord() throws {
        try FileSystem.write(record.json.encoded(), to: directory.appending("container.json"))
    }

    /// The config of its image.
    package func imageConfig() throws -> ImageConfig {
        try ImageConfig(
            parsing: OwnedDescriptor.open(directory.appending("image.json")).readAll(limit: 16 << 20))
    }

    /// Throws ``ContainersError`` `.notRunning`.
    package func requireRunning() throws {
        guard !isRunning else { return }
        throw ContainersError(
            .notRunning, "container \(record.name) is not running", hint: "Start it with 'lamina start \(record.name)'."
        )
    }
}
