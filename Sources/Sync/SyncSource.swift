import Diagnostics
import Images
import Linux
import Logins
package import OCI
package import Registry
package import SystemPackage
package import Transports

/// The images that a synchronization copies.
package enum SyncSource: Hashable, Sendable {
    /// A list of images in several registries.
    case list(SyncList)
    /// One image of a registry, or all of a repository.
    case repository(ImageReference, isOneImage: Bool)
    /// A directory with images of the transport `dir:` below it.
    case directory(FilePath)

    /// A registry, or a repository in one: `NAME` is all of a repository, `NAME:TAG` and `NAME@DIGEST` one image.
    package static func registry(_ text: String) throws -> SyncSource {
        let reference = try ImageReference(parsing: text)
        let last = text.split(separator: "/").last ?? ""
        return .repository(reference, isOneImage: last.contains(":") || text.contains("@"))
    }
}

/// The place that a synchronization writes images to, each below it by the last part of its name or by all of it.
package enum SyncDestination: Hashable, Sendable {
    /// A registry, with or without the beginning of a path.
    case registry(String)
    case directory(FilePath)

    /// The place of an image. `suffix` is the name of the image, of which with `isScoped` all counts; `ending` is put
    /// after it.
    package func place(_ suffix: String, isScoped: Bool, ending: String = "") throws -> ImageLocation {
        let name = (isScoped ? suffix : suffix.split(separator: "/").last.map(String.init) ?? suffix) + ending
        switch self {
        case .registry(let prefix):
            let base = prefix.prefix(prefix.count - prefix.reversed().prefix { $0 == "/" }.count)
            return .registry(try ImageReference(parsing: "\(base)/\(name)"))
        case .directory(let path):
            return .directory(FilePath("\(path.string)/\(name)"))
        }
    }
}

/// The images of one repository or directory, all reached in one way.
package struct SyncGroup: Sendable {
    /// The place that is asked before the images are known.
    enum Content: Sendable {
        case repository(ImageReference, ListedRegistry.Choice)
        case directory(FilePath)
    }

    let content: Content
    let settings: RegistrySettings

    /// The groups of a source in its order. `settings` are those of the command for the source.
    package static func groups(of source: SyncSource, _ settings: RegistrySettings) -> [SyncGroup] {
        switch source {
        case .directory(let path): return [SyncGroup(content: .directory(path), settings: settings)]
        case .repository(let reference, let isOneImage):
            let choice: ListedRegistry.Choice =
                isOneImage ? .reference(reference.digest?.description ?? reference.tag ?? "latest") : .all
            return [SyncGroup(content: .repository(reference, choice), settings: settings)]
        case .list(let list):
            return list.registries.flatMap { registry in
                registry.repositories.flatMap { repository in
                    let own = settings.adding(registry, for: repository.name.registry)
                    return repository.choices.map {
                        SyncGroup(content: .repository(repository.name, $0), settings: own)
                    }
                }
            }
        }
    }
}

extension RegistrySettings {
    /// The settings with those that a list has for a registry.
    fileprivate func adding(_ registry: ListedRegistry, for host: String) -> RegistrySettings {
        var settings = self
        if let login = registry.credentials {
            settings.login = (host, .password(user: login.user, password: login.password))
        }
        if let directory = registry.certificateDirectory { settings.certificateDirectory = directory }
        switch registry.verifiesTLS {
        case false?: settings.insecureRegistries.append(host)
        // What the list says of a registry counts more than an option for all.
        case true?: settings.verifiesTLS = true
        case nil: break
        }
        return settings
    }
}

extension SyncGroup {
    /// An image to be copied, and the name that its place is made of.
    package struct Image: Hashable, Sendable {
        package let source: ImageLocation
        let suffix: String
    }

    /// The images, for which a registry is asked for its tags if need be.
    func images(_ client: RegistryClient) async throws -> [Image] {
        switch content {
        case .directory(let path): try await offload { try Self.images(below: path) }
        case .repository(let repository, let choice):
            try await Self.references(repository, choice, client).map { reference in
                Image(source: .registry(reference), suffix: reference.description)
            }
        }
    }

    private static func references(
        _ repository: ImageReference, _ choice: ListedRegistry.Choice, _ client: RegistryClient
    ) async throws -> [ImageReference] {
        func tags(where isWanted: (String) throws -> Bool) async throws -> [ImageReference] {
            let tags = try await client.tags(of: repository)
            return try tags.filter(isWanted).map { repository.with(tag: $0, digest: nil) }
        }
        switch choice {
        case .all: return try await tags { _ in true }
        case .reference(let text):
            if let digest = try? Digest(parsing: text) { return [repository.with(tag: nil, digest: digest)] }
            return [repository.with(tag: text, digest: nil)]
        case .matching(let pattern):
            let regex = try Regex(pattern)
            return try await tags { try regex.firstMatch(in: $0) != nil }
        case .versions(let range):
            return try await tags { SemanticVersion($0).map(range.contains) ?? false }
        }
    }

    /// The directories that hold an image, in order of their names. Links are not followed.
    private static func images(below base: FilePath) throws -> [Image] {
        var found: [Image] = []
        func look(in directory: borrowing Directory, _ path: String, depth: Int) throws {
            if try directory.statusIfExists("manifest.json")?.type == .regular {
                let name = path.isEmpty ? base.lastComponent?.string ?? "" : path
                let place = path.isEmpty ? base : FilePath("\(base.string)/\(path)")
                return found.append(Image(source: .directory(place), suffix: name))
            }
            guard depth < 32 else { return }
            for name in try directory.names().sorted() where try directory.status(name).type == .directory {
                try look(
                    in: directory.directory(name), path.isEmpty ? name.text : "\(path)/\(name.text)", depth: depth + 1)
            }
        }
        try look(in: Directory(opening: base), "", depth: 0)
        return found
    }
}
