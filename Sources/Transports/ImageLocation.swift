import Diagnostics
package import OCI
package import SystemPackage

/// The choice of one image where there may be several.
package enum ImageSelector: Hashable, Sendable {
    /// The one that is there.
    case only
    /// The image of a name or tag.
    case name(String)
    /// The image at a place, counted from 0.
    case index(Int)
    case digest(Digest)
}

/// The place of one image, as the argument of a command names it by a transport.
///
/// The transports are those of the containers project (containers-transports(5)); a name without one is an image of the
/// store.
package enum ImageLocation: Hashable, Sendable {
    case registry(ImageReference)
    /// A directory that is an OCI layout.
    case layout(FilePath, ImageSelector)
    /// An OCI layout in an archive.
    case ociArchive(FilePath, ImageSelector)
    case dockerArchive(FilePath, ImageSelector)
    /// A directory with a manifest and its blobs.
    case directory(FilePath)
    /// An image of the store by its name or ID.
    case store(String)

    /// Parses `docker://NAME`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `dir:DIR`,
    /// `lamina:NAME` or `NAME`.
    ///
    /// Throws ``TransportsError`` `.badName`.
    package init(parsing text: String) throws {
        guard !text.isEmpty else { throw Self.malformed("the name of an image is empty") }
        if text.hasPrefix("docker://") {
            self = .registry(try ImageReference(parsing: String(text.dropFirst("docker://".count))))
            return
        }
        guard let colon = text.firstIndex(of: ":") else {
            self = .store(text)
            return
        }
        let (transport, rest) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
        switch transport {
        case "oci", "oci-layout", "ocidir":
            let (path, selector) = try Self.split(rest, transport)
            self = .layout(path, selector)
        case "oci-archive":
            let (path, selector) = try Self.split(rest, transport)
            self = .ociArchive(path, selector)
        case "docker-archive", "docker-tar":
            let (path, selector) = try Self.split(rest, transport)
            self = .dockerArchive(path, selector)
        case "dir":
            guard !rest.isEmpty else { throw Self.missingPath(transport) }
            self = .directory(FilePath(Self.local(rest)))
        case "lamina":
            guard !rest.isEmpty else { throw Self.malformed("'\(text)' names no image") }
            self = .store(rest)
        case "docker" where rest.hasPrefix("/"):
            throw Self.malformed("'\(text)' is no name of an image: an image in a registry is docker://NAME")
        default:
            if let sentence = Self.refused[transport] { throw Self.malformed("'\(transport):' \(sentence)") }
            guard !rest.hasPrefix("//") else { throw Self.malformed("there is no transport '\(transport)://'") }
            if transport.hasSuffix("archive") || transport.hasPrefix("oci-") {
                throw Self.malformed("there is no transport '\(transport):'")
            }
            self = .store(text)
        }
    }

    private static let refused = [
        "docker-daemon": "is not there: lamina speaks to no daemon; use docker-archive: and 'docker save'",
        "containers-storage": "is not there: the storage of Podman is not read; use oci-archive: and 'podman save'",
    ]

    private static func malformed(_ message: String) -> TransportsError {
        TransportsError(
            .badName, message,
            hint: "The transports are docker://, oci:, oci-archive:, docker-archive:, dir: and lamina:.")
    }

    private static func missingPath(_ transport: String) -> TransportsError {
        malformed("'\(transport):' needs the path of a file or directory after it")
    }

    /// Splits `PATH[:SELECTOR]` at the first colon, as the containers project does.
    private static func split(_ text: String, _ transport: String) throws -> (FilePath, ImageSelector) {
        let text = local(text)
        guard let colon = text.firstIndex(of: ":") else {
            guard !text.isEmpty else { throw missingPath(transport) }
            return (FilePath(text), .only)
        }
        let (path, name) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
        guard !path.isEmpty else { throw missingPath(transport) }
        guard !name.isEmpty else {
            throw malformed("'\(transport):\(text)' ends with a colon: leave it out, or put a name after it")
        }
        guard name.hasPrefix("@") else { return (FilePath(path), .name(name)) }
        if let index = Int(name.dropFirst()), index >= 0 { return (FilePath(path), .index(index)) }
        return (FilePath(path), .digest(try Digest(parsing: name.dropFirst())))
    }

    /// A path after two slashes, as some programs write it.
    private static func local(_ text: String) -> String {
        text.hasPrefix("//") ? String(text.dropFirst(2)) : text
    }
}

extension ImageLocation: CustomStringConvertible {
    package var description: String {
        switch self {
        case .registry(let reference): "docker://\(reference)"
        case .layout(let path, let selector): "oci:\(path)\(selector)"
        case .ociArchive(let path, let selector): "oci-archive:\(path)\(selector)"
        case .dockerArchive(let path, let selector): "docker-archive:\(path)\(selector)"
        case .directory(let path): "dir:\(path)"
        case .store(let name): name
        }
    }
}

extension ImageSelector: CustomStringConvertible {
    package var description: String {
        switch self {
        case .only: ""
        case .name(let name): ":\(name)"
        case .index(let index): ":@\(index)"
        case .digest(let digest): ":@\(digest)"
        }
    }
}
