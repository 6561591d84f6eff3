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
        context = FileSystem.absolute(request.context).lexicallyNormalized().string
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
}
