package import OCI
package import Registry
import Store
package import SystemPackage

/// A place that has blobs, besides the store.
package enum BlobLocation: Hashable, Sendable {
    case registry(String, repository: String)
    /// An OCI layout.
    case layout(FilePath)
    case bucket(S3Bucket)

    package init(repositoryOf reference: ImageReference) {
        self = .registry(reference.registry, repository: reference.repository)
    }
}

extension BlobLocation {
    /// The location as the store notes it. Credentials are never part of it.
    package var encoded: String {
        switch self {
        case .registry(let registry, let repository): "registry \(registry) \(repository)"
        case .layout(let path): "layout \(path)"
        case .bucket(let bucket): "s3 \(bucket.json.text())"
        }
    }

    /// Reads what ``encoded`` gives; `nil` when it is anything else.
    package init?(decoding text: String) {
        guard let space = text.firstIndex(of: " ") else { return nil }
        let rest = String(text[text.index(after: space)...])
        switch text[..<space] {
        case "registry":
            let parts = rest.split(separator: " ").map(String.init)
            guard parts.count == 2 else { return nil }
            self = .registry(parts[0], repository: parts[1])
        case "layout": self = .layout(FilePath(rest))
        case "s3":
            guard let bucket = (try? JSON(parsing: rest)).flatMap(S3Bucket.init(json:)) else { return nil }
            self = .bucket(bucket)
        default: return nil
        }
    }

    /// The repository, if it is one, with the digest of what is wanted of it.
    package func reference(to digest: Digest) -> ImageReference? {
        guard case .registry(let registry, let repository) = self else { return nil }
        return ImageReference(registry: registry, repository: repository, tag: nil, digest: digest)
    }
}

extension BlobLocation: CustomStringConvertible {
    /// Its name for users.
    package var description: String {
        switch self {
        case .registry(let registry, let repository):
            ImageReference(registry: registry, repository: repository, tag: nil).familiarName
        case .layout(let path): path.string
        case .bucket(let bucket): bucket.description
        }
    }
}
