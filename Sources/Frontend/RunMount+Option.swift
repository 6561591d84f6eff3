import Diagnostics
import DockerfileSyntax
package import Graph

extension RunMount {
    /// A mount that the user gives to all commands, written as in RUN: a cache, memory, a secret or an agent. There is no
    /// stage whose files it could show, and its target is absolute.
    ///
    /// Throws ``FrontendError`` `.invalid`, and the errors of the parts.
    package init(option text: String) throws {
        let options = try MountOptions(parsing: text) { $0 }
        guard options.from.isEmpty else {
            throw FrontendError(.invalid, "--mount has no stages to take files from: from=\(options.from)")
        }
        guard options.target.isEmpty || options.target.hasPrefix("/") else {
            throw FrontendError(.invalid, "the target of --mount is not an absolute path: \(options.target)")
        }
        switch options.kind {
        case .bind: throw FrontendError(.invalid, "a bind mount of --mount shows files of this machine")
        case .cache:
            let source = ContainerPath.resolve(options.source, in: "/")
            let id = options.id.isEmpty ? ContainerPath.cleanAsWritten(options.target) : options.id
            self = .cache(
                CacheMount(
                    target: try Lowering.target(options.target, in: "/"), id: "/\(id)",
                    sharing: options.sharing ?? .shared, isReadOnly: options.isReadOnly, source: source,
                    attributes: source == "/" ? options.cacheAttributes : nil))
        case .tmpfs:
            self = .tmpfs(
                TemporaryMount(
                    target: try Lowering.target(options.target, in: "/"),
                    size: options.size == 0 ? nil : options.size, isReadOnly: options.isReadOnly))
        case .secret: self = .secret(try Lowering.secretMount(options, in: "/"))
        case .ssh: self = .ssh(try Lowering.agentMount(options, number: 0, in: "/"))
        }
    }
}
