import Caching
import Contexts
import Frontend
import Graph
import OCI
import Records
import Requests
import SystemPackage
import Trees

extension BuildDetails {
    /// The facts of a request and its Dockerfile that the history keeps.
    init(_ request: BuildRequest, _ source: DockerfileSource) {
        self.init()
        context = Self.place(of: request)
        let path = (try? LocalFiles.dockerfile(request.dockerfile, in: request.context)) ?? FilePath(source.name)
        dockerfile = FileSystem.absolute(path).lexicallyNormalized().string
        dockerfileDigest = Digest(of: source.bytes)
        let platforms = request.platforms.isEmpty ? [request.options.platform] : request.platforms
        platform = platforms.map(\.description).joined(separator: ",")
        ignoresCache = request.options.noCache == .all
        arguments = request.options.buildArguments.compactMap { argument in
            argument.value.map { Redaction.variable("\(argument.name)=\($0)") }
        }
        version = Version.current
    }

    /// The place of the context's files, without the login that a URL may have.
    private static func place(of request: BuildRequest) -> String {
        switch request.inputs.context {
        case .git(let source, _):
            let part = source.subdirectory.isEmpty ? source.ref : "\(source.ref):\(source.subdirectory)"
            return source.publicRemote + (part.isEmpty ? "" : "#\(part)")
        case .http(let source, _): return Redaction.withoutLogins(source.url)
        case .object(let object): return "\(object)"
        case .archive(let path): return FileSystem.absolute(path).lexicallyNormalized().string
        case .directory, .standardInput, nil:
            return FileSystem.absolute(request.context).lexicallyNormalized().string
        }
    }
}
