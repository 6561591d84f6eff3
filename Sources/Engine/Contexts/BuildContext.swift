import Requests
import Diagnostics
import Frontend
import Glibc
import Graph
import Linux
import Store
import Synchronization
import SystemPackage
import Trees

/// The files of a build, ready to be read.
struct BuildContext: Sendable {
    let directory: FilePath
    /// Whether it is the user's own directory: one whose ignore file counts, and whose files are known again by their
    /// inodes.
    let isLocal: Bool
    /// The Dockerfile, where it came along and is not among the files.
    let definition: DockerfileSource?
    /// When the files were made, in seconds since 1970, where that is known at once.
    let time: Int64?
    /// The owner of the directory.
    let held: (any AnyObject & Sendable)?

    /// Whether the directory is gone after the build.
    var isTemporary: Bool { held != nil }

    init(
        _ directory: FilePath, isLocal: Bool = false, definition: DockerfileSource? = nil, time: Int64? = nil,
        held: (any AnyObject & Sendable)? = nil
    ) {
        self.directory = directory
        self.isLocal = isLocal
        self.definition = definition
        self.time = time
        self.held = held
    }
}

/// The file with the Dockerfile, wherever it is.
struct DefinitionFile: Sendable {
    /// The name in messages.
    let name: String
    /// The local file, which may have an ignore file of its own; `nil` for one that came from elsewhere.
    let path: FilePath?
    let bytes: [UInt8]

    /// In bytes: more is no Dockerfile.
    static let limit = 64 << 20
}

extension Build {
    /// Reads the Dockerfile: from the context, a file, the standard input or the web.
    ///
    /// In a context that is not the user's own directory no link leads out of the context.
    func definitionFile(in context: BuildContext, _ remotes: RemoteSources) async throws -> DefinitionFile {
        if request.inputs.context == .standardInput, context.definition != nil,
            request.dockerfile != nil || request.inputs.definition != nil
        {
            throw EngineError(
                .badContext, "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles",
                hint: "Leave -f out, or pipe an archive with the files of the build.")
        }
        switch request.inputs.definition {
        case .standardInput:
            let bytes = try await offload { try StandardInput.readAll(limit: DefinitionFile.limit) }
            return DefinitionFile(name: "Dockerfile", path: nil, bytes: bytes)
        case .url(let source):
            let file = try await remotes.current(source, label: RemoteContext.http(source).label)
            let bytes = try await offload { [store] in
                try store.content.open(file.digest)?.readAll(limit: DefinitionFile.limit) ?? []
            }
            return DefinitionFile(name: source.fileName, path: nil, bytes: bytes)
        case nil: break
        }
        if let text = context.definition, request.dockerfile?.isAbsolute != true {
            return DefinitionFile(name: text.name, path: nil, bytes: text.bytes)
        }
        if context.isLocal || request.dockerfile?.isAbsolute == true {
            let path = try request.dockerfilePath()
            let name = request.dockerfile == nil ? (path.lastComponent?.string ?? path.string) : path.string
            let bytes = try await offload { try OwnedDescriptor.open(path).readAll(limit: DefinitionFile.limit) }
            return DefinitionFile(name: name, path: path, bytes: bytes)
        }
        return try await offload { [request] in try Self.read(request.dockerfile, in: context.directory) }
    }

    private static func read(_ name: FilePath?, in context: FilePath) throws -> DefinitionFile {
        let root = try Directory(opening: context)
        let names = name.map { [$0.string] } ?? ["Dockerfile", "dockerfile"]
        for name in names {
            do {
                let file = try root.open(PathBytes(name), O_RDONLY | O_NONBLOCK, resolving: .inRoot)
                guard try file.status().type == .regular else { break }
                return DefinitionFile(name: name, path: nil, bytes: try file.readAll(limit: DefinitionFile.limit))
            } catch let error as LinuxError where error.code == .notFound {
                continue
            }
        }
        throw EngineError(
            .dockerfileNotFound, "failed to read dockerfile: open \(names[0]): no such file or directory",
            hint: "Name a file of the context with -f, or one of this machine by its absolute path.")
    }
}

/// The texts that a build reads, by the names that messages call them, for excerpts in messages.
package final class SourceTexts: Sendable {
    private let texts = Mutex<[String: [UInt8]]>([:])

    package init() {}

    func remember(_ source: DockerfileSource) { texts.withLock { $0[source.name] = source.bytes } }

    package func bytes(of name: String) -> [UInt8]? { texts.withLock { $0[name] } }
}
