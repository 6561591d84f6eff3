import Diagnostics
import DockerfileSyntax
import Frontend
package import Graph
import Linux
import OCI
package import Sandbox
import Store
package import SystemPackage
import Trees

/// The mounts that the user gives to all commands.
package struct VolumeSettings: Hashable, Sendable {
    package private(set) var volumes: [HostVolume] = []
    /// Caches, memory, secrets and agents, as a RUN could have them.
    package private(set) var mounts: [RunMount] = []
    private var ownTemporary: [TemporaryVolume] = []

    package init() {}

    init(volumes: [HostVolume], temporary: [TemporaryVolume]) {
        self.volumes = volumes
        ownTemporary = temporary
    }

    /// Parses the values of `--volume`, `--mount` and `--tmpfs`. `areNamed` says whether volumes may have names.
    ///
    /// Throws ``RequestsError`` `.badVolume`, and what the mounts of RUN throw.
    package init(volumes: [String], mounts: [String], temporary: [String] = [], areNamed: Bool = false) throws {
        self.volumes = try volumes.map { try HostVolume(volume: $0, isNamed: areNamed) }
        ownTemporary = try temporary.map { try TemporaryVolume(parsing: $0) }
        for text in mounts {
            if let bind = try HostVolume(mount: text, isNamed: areNamed) {
                self.volumes.append(bind)
            } else {
                self.mounts.append(try RunMount(option: text))
            }
        }
    }
}

extension VolumeSettings {
    /// Adds an anonymous volume for each directory of an image's VOLUME where there is no other mount.
    package mutating func addAnonymous(at directories: [String]) {
        for directory in directories where directory.hasPrefix("/") {
            let target = FilePath(directory).lexicallyNormalized()
            let taken = volumes.map(\.target) + temporary.map(\.target)
            guard target != "/", !taken.contains(where: { $0.lexicallyNormalized() == target }) else { continue }
            volumes.append(.anonymous(at: target))
        }
    }
}

/// A file or directory of this machine that commands see.
package struct HostVolume: Hashable, Sendable {
    package enum Access: String, Hashable, Sendable {
        case readOnly
        case readWrite
        /// Written files are discarded when commands end.
        case discarding
    }

    /// Absolute, and there; empty for a volume with a name.
    package let source: FilePath
    /// The name of a volume of the store, which is made when it is first used.
    package let name: String?
    /// Whether the name was made up, so that the volume belongs to one container.
    package let isAnonymous: Bool
    /// Absolute.
    package let target: FilePath
    package let access: Access

    private init(_ source: String, _ target: String, _ access: Access, in text: String, isNamed: Bool) throws {
        guard target.hasPrefix("/"), FilePath(target).lexicallyNormalized() != "/" else {
            throw RequestsError(
                .badVolume, "invalid volume '\(text)': '\(target)' is no absolute path below the root",
                hint: "Write it as HOST:CONTAINER[:ro].")
        }
        guard source.hasPrefix("/") || source == "." || source.hasPrefix("./") || source.hasPrefix("../") else {
            if isNamed, Self.isName(source) {
                self.init(name: source, target: FilePath(target), access)
                return
            }
            throw RequestsError(
                .badVolume, "invalid volume '\(text)': '\(source)' is no path, and there are no named volumes",
                hint: "Write a path of this machine, such as /\(source) or ./\(source).")
        }
        let path = FileSystem.absolute(FilePath(source))
        do { _ = try FileStatus(of: path) } catch {
            throw RequestsError(.badVolume, "invalid volume '\(text)': there is no \(source)", cause: error)
        }
        self.init(source: path, target: FilePath(target), access)
    }

    private init(
        source: FilePath = "", name: String? = nil, isAnonymous: Bool = false, target: FilePath, _ access: Access
    ) {
        self.source = source
        self.name = name
        self.isAnonymous = isAnonymous
        self.target = target
        self.access = access
    }

    /// A volume of the store with a name that is made up.
    package static func anonymous(at target: FilePath) -> HostVolume {
        let name = String((0..<64).map { _ in "0123456789abcdef".randomElement() ?? "0" })
        return HostVolume(name: name, isAnonymous: true, target: target, .readWrite)
    }

    /// Parses `HOST:CONTAINER[:OPTIONS]`; the options are `ro`, `rw`, `O` and the labels `z` and `Z`, which mean nothing
    /// here. With `isNamed`, `CONTAINER` alone is an anonymous volume.
    package init(volume text: String, isNamed: Bool = false) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if isNamed, parts.count == 1, text.hasPrefix("/"), FilePath(text).lexicallyNormalized() != "/" {
            self = .anonymous(at: FilePath(text))
            return
        }
        guard (2...3).contains(parts.count) else {
            throw RequestsError(
                .badVolume, "invalid volume '\(text)'", hint: "Write it as HOST:CONTAINER[:ro].")
        }
        var access = Access.readWrite
        for option in parts.count == 3 ? parts[2].split(separator: ",") : [] {
            switch option {
            case "ro": access = .readOnly
            case "rw": access = .readWrite
            case "O": access = .discarding
            case "z", "Z": break
            default:
                throw RequestsError(
                    .badVolume, "invalid volume '\(text)': unknown option '\(option)'", hint: "Use ro, rw or O.")
            }
        }
        try self.init(parts[0], parts[1], access, in: text, isNamed: isNamed)
    }

    /// Parses `type=bind,source=HOST,target=CONTAINER[,readonly]`; `nil` for a mount of another type. With
    /// `isNamed`, the type `volume` takes a name for its source.
    package init?(mount text: String, isNamed: Bool = false) throws {
        var (kind, source, target) = ("bind", "", "")
        var access = Access.readWrite
        var unknown: String?
        for field in try CommaSeparated.fields(text) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value = parts.count > 1 ? parts[1] : "true"
            switch parts[0].lowercased() {
            case "type": kind = value
            case "source", "src": source = value
            case "target", "dst", "destination": target = value
            case "readonly", "ro": access = try Self.flag(value, in: field) ? .readOnly : .readWrite
            case "readwrite", "rw": access = try Self.flag(value, in: field) ? .readWrite : .readOnly
            default: unknown = field
            }
        }
        guard kind == "bind" || (kind == "volume" && isNamed) else { return nil }
        if let unknown { throw RequestsError(.badVolume, "invalid mount '\(text)': unexpected field '\(unknown)'") }
        try self.init(source, target, access, in: text, isNamed: kind == "volume")
    }

    init?(json: JSON) {
        guard let source = json["source"]?.string, let target = json["target"]?.string,
            let access = json["access"]?.string.flatMap(Access.init(rawValue:))
        else { return nil }
        self.init(
            source: FilePath(source), name: json["name"]?.string, isAnonymous: json["isAnonymous"]?.bool ?? false,
            target: FilePath(target), access)
    }

    /// Whether a text can be the name of a volume: Docker's rule.
    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count > 1, isLetterOrDigit(first) else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || "_.-".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func flag(_ value: String, in field: String) throws -> Bool {
        switch value {
        case "1", "true": return true
        case "0", "false": return false
        default: throw RequestsError(.badVolume, "invalid value in '\(field)': use true or false")
        }
    }
}

extension VolumeSettings {
    /// The directories in memory that both options have asked for.
    package var temporary: [TemporaryVolume] {
        ownTemporary
            + mounts.compactMap { mount in
                guard case .tmpfs(let mount) = mount else { return nil }
                return TemporaryVolume(
                    target: FilePath(mount.target), size: mount.size, isReadOnly: mount.isReadOnly)
            }
    }

    /// The mounts of memory.
    package var temporaryMounts: [SandboxMount] {
        temporary.map { mount in
            SandboxMount(
                target: mount.target, source: .temporary(size: mount.size), isReadOnly: mount.isReadOnly,
                flags: mount.flags)
        }
    }

    /// Throws ``RequestsError`` `.badVolume` for mounts that only a build can have.
    package func requireNoHeldMounts() throws {
        for mount in mounts {
            if case .tmpfs = mount { continue }
            throw RequestsError(
                .badVolume, "lamina run has mounts of type bind and tmpfs only",
                hint: "Give a file with --volume FILE:TARGET:ro.")
        }
    }
}
