package import SystemPackage

/// A destination of the result of a build, besides the store.
package enum BuildOutput: Hashable, Sendable {
    /// The image, in the store: what is done without any output.
    case store(ImageSettings)
    /// An OCI layout: an archive, or with `isArchive` false a directory. `-` is the standard output.
    case oci(FilePath, isArchive: Bool, ImageSettings)
    /// An archive that both kinds of reader take. `-` is the standard output.
    case dockerArchive(FilePath, ImageSettings)
    /// The files of the result, without their owners; with `deletesOthers` the directory holds nothing else afterwards.
    case directory(FilePath, deletesOthers: Bool = false)
    /// The files of the result as one tar archive. `-` is the standard output.
    case tar(FilePath)
    /// Pushes the image under all its names.
    case push(ImageSettings)
    /// Builds and keeps nothing but the cache.
    case none

    /// The form of the image; `nil` for an output that is made from files alone.
    package var settings: ImageSettings? {
        switch self {
        case .store(let settings), .oci(_, _, let settings), .dockerArchive(_, let settings), .push(let settings):
            settings
        case .directory, .tar, .none: nil
        }
    }

    /// Whether the output is made from an image, and not from its files alone.
    package var isImage: Bool { settings != nil }

    package var isPush: Bool { if case .push = self { true } else { false } }

    /// Whether the output pushes or writes a manifest that others see.
    package var writesManifest: Bool {
        switch self {
        case .oci, .dockerArchive, .push: true
        case .store, .directory, .tar, .none: false
        }
    }

    /// Whether the output goes to the standard output.
    package var isStandardOutput: Bool {
        switch self {
        case .oci(let path, _, _), .dockerArchive(let path, _), .tar(let path): path == "-"
        case .store, .directory, .push, .none: false
        }
    }
}
