import Diagnostics
import Frontend
import Glibc
import Graph
import Linux
package import Requests
import Store
package import SystemPackage
import Trees

/// The file with the Dockerfile, wherever it is.
package struct DefinitionFile: Sendable {
    /// The name in messages.
    package let name: String
    /// The local file, which may have an ignore file of its own; `nil` for one that came from elsewhere.
    package let path: FilePath?
    package let bytes: [UInt8]

    /// In bytes: more is no Dockerfile.
    package static let limit = 64 << 20
}

extension DefinitionFile {
    /// Reads the Dockerfile: from the context, a file, the standard input or the web.
    ///
    /// In a context that is not the user's own directory no link leads out of the context.
    ///
    /// `chosen` is the path that the user gives, if any.
    package static func load(
        _ chosen: FilePath?, _ inputs: BuildInputs, in context: BuildContext, _ remotes: RemoteSources
    ) async throws -> DefinitionFile {
        if inputs.context == .standardInput, context.definition != nil,
            chosen != nil || inputs.definition != nil
        {
            throw ContextsError(
                .badContext, "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles",
                hint: "Leave -f out, or pipe an archive with the files of the build.")
        }
        switch inputs.definition {
        case .standardInput:
            let bytes = try await offload { try StandardInput.readAll(limit: DefinitionFile.limit) }
            return DefinitionFile(name: "Dockerfile", path: nil, bytes: bytes)
        case .url(let source):
            let file = try await remotes.current(source, label: RemoteContext.http(source).label)
            let bytes = try await offload { [store = remotes.store] in
                try store.content.open(file.digest)?.readAll(limit: DefinitionFile.limit) ?? []
            }
            return DefinitionFile(name: source.fileName, path: nil, bytes: bytes)
        case nil: break
        }
        if let text = context.definition, chosen?.isAbsolute != true {
            return DefinitionFile(name: text.name, path: nil, bytes: text.bytes)
        }
        if context.isLocal || chosen?.isAbsolute == true {
            let path = try LocalFiles.dockerfile(chosen, in: context.directory)
            let name = chosen == nil ? (path.lastComponent?.string ?? path.string) : path.string
            let bytes = try await offload { try OwnedDescriptor.open(path).readAll(limit: DefinitionFile.limit) }
            return DefinitionFile(name: name, path: path, bytes: bytes)
        }
        return try await offload { try read(chosen, in: context.directory) }
    }

    private static func read(_ name: FilePath?, in context: FilePath) throws -> DefinitionFile {
        let root = try Directory(opening: context)
        let names = name.map { [$0.string] } ?? LocalFiles.dockerfileNames
        for name in names {
            do {
                let file = try root.open(PathBytes(name), O_RDONLY | O_NONBLOCK, resolving: .inRoot)
                guard try file.status().type == .regular else { break }
                return DefinitionFile(name: name, path: nil, bytes: try file.readAll(limit: DefinitionFile.limit))
            } catch let error as LinuxError where error.code == .notFound {
                continue
            }
        }
        throw ContextsError(
            .dockerfileNotFound, "failed to read dockerfile: open \(names[0]): no such file or directory",
            hint: "Name a file of the context with -f, or one of this machine by its absolute path.")
    }
}
