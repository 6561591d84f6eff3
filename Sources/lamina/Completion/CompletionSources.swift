import ArgumentParser
import Containers
import Contexts
import DockerfileSyntax
import Linux
import OCI
import Store
import SystemPackage

extension Completion.Sources {
    /// The names of this machine: of its store and of its files.
    ///
    /// `root` is the store that is named, if one is.
    static func machine(_ root: String?) -> Completion.Sources {
        func store() -> StoreRoot? {
            let global = try? GlobalOptions.parse(root.map { ["--root", $0] } ?? [])
            return try? global?.store(.readOnly)
        }
        return Completion.Sources(
            images: {
                let images = (try? store()?.images.list()) ?? []
                return images.flatMap(\.names).map(\.familiar).sorted()
            },
            builds: { ((try? store()?.builds.list(limit: 50)) ?? []).map(\.id) },
            stages: { read($0)?.stages.compactMap(\.originalName) ?? [] },
            arguments: { path in
                guard let dockerfile = read(path) else { return [] }
                let instructions = dockerfile.globalArguments + dockerfile.stages.flatMap(\.instructions)
                var names: [String] = []
                for case .arg(let declarations) in instructions.map(\.kind) {
                    for name in declarations.map(\.name) where !names.contains(name) { names.append(name) }
                }
                return names
            },
            topics: { Pages.names },
            containers: { areRunning in
                let containers = store().flatMap { try? ContainerStore($0).list() } ?? []
                return containers.filter { $0.isRunning || !areRunning }.map(\.record.name).sorted()
            },
            volumes: { (store().flatMap { try? VolumeStore($0).list() } ?? []).map(\.name) })
    }

    /// The Dockerfile at a path, or in the directory at it; `nil` for one that cannot be read or parsed.
    private static func read(_ path: String) -> Dockerfile? {
        let isDirectory = (try? FileStatus(of: FilePath(path)).type) == .directory
        guard
            let file = isDirectory
                ? try? LocalFiles.dockerfile(nil, in: FilePath(path)) : FilePath(path),
            (try? LocalFiles.isFile(file)) == true,
            let bytes = try? OwnedDescriptor.open(file).readAll(limit: DefinitionFile.limit)
        else { return nil }
        return try? Dockerfile(parsing: bytes)
    }
}
