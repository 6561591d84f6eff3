package import Layers
package import OCI
package import Registry
package import SystemPackage

/// Caches of other builds that a build reads, and where it leaves its own for others.
package struct CacheSharing: Hashable, Sendable {
    /// In the order of the command line; of several that know a result the first counts.
    package var imports: [CacheImport] = []
    package var exports: [CacheExport] = []

    package init() {}
}

/// A cache to read.
package enum CacheImport: Hashable, Sendable {
    /// A cache image, or an image with an inline cache. Of an insecure registry no proof is wanted.
    case registry(ImageReference, isInsecure: Bool = false)
    /// An OCI layout, with the tag or the digest of the cache in it.
    case local(FilePath, tag: String, digest: Digest?)
    case s3(S3Cache)
}

/// The place of caches in an object store.
package struct S3Cache: Hashable, Sendable {
    package var bucket: S3Bucket
    /// `nil` leaves it to the environment.
    package var credentials: S3Credentials?
    /// The prefix of the names of manifests, e.g. `manifests/`.
    package var manifestPrefix: String
    /// Never empty.
    package var names: [String]

    /// The objects that are the manifests.
    package var keys: [String] { names.map { manifestPrefix + $0 } }
}

/// A cache to write.
package struct CacheExport: Hashable, Sendable {
    package enum Target: Hashable, Sendable {
        case registry(ImageReference, isInsecure: Bool = false)
        /// An OCI layout.
        case local(FilePath, tag: String)
        case s3(S3Cache)
        /// The manifest of the image itself.
        case inline
    }

    package var target: Target
    /// Whether the results of all steps are kept, and not only those the image consists of (`mode=max`).
    package var includesAll = false
    package var compression = CompressionOptions(.gzip)
    /// Compress layers anew that are there in another form.
    package var forcesCompression = false
    /// Name the media types of OCI and not those of Docker.
    package var usesOCITypes = true
    /// Whether a failure is only worth a warning.
    package var ignoresErrors = false

    package init(_ target: Target) { self.target = target }
}
