package import Inspector
package import Linux

/// A change of a Dockerfile that makes its image smaller.
package struct Advice: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A package manager's cache is left in the layer.
        case packageCache(PackageCache)
        /// A later step removes the files, which stay in the layer.
        case deletedLater
        /// A later step puts other files at the same paths.
        case replacedLater
        /// A later COPY or ADD brings the same contents to the same paths.
        case copiedTwice
        /// A later RUN changes owner, mode or times, and so stores the same contents again.
        case metadataCopy
        /// Files of the base image are removed or replaced by later steps.
        case baseContent
        /// The layer has contents that are at another path, too.
        case duplicates
        /// The repository of a version control system is in the layer.
        case versionControl
        /// A COPY or ADD brings along what tools and compilers leave behind.
        case buildArtefacts
        case debugSymbols
        /// Programs and libraries have symbols and debug information within them.
        case unstripped
        /// The step installs packages, and comes after a COPY, the cause, that it does not need. Whenever the copied files
        /// change, its layer is made, pushed and pulled again: the image does not get smaller.
        case order
        /// The step installs what a manifest of dependencies names, and comes after a COPY, the cause, of other files, too.
        /// Whenever one of these changes, its layer is made, pushed and pulled again: the image does not get smaller.
        case manifestFirst

        /// The kind as it stands in documents.
        package var name: String {
            switch self {
            case .packageCache: "package-cache"
            case .deletedLater: "deleted-later"
            case .replacedLater: "replaced-later"
            case .copiedTwice: "copied-twice"
            case .metadataCopy: "metadata-copy"
            case .baseContent: "base-content"
            case .duplicates: "duplicates"
            case .versionControl: "version-control"
            case .buildArtefacts: "build-artefacts"
            case .debugSymbols: "debug-symbols"
            case .unstripped: "unstripped"
            case .order: "order"
            case .manifestFirst: "manifest-first"
            }
        }
    }

    package let kind: Kind
    /// The index of the layer that stores the bytes.
    package let layer: Int
    /// The index of the layer that makes them useless; `nil` for files that the image has.
    package let cause: Int?
    /// The files that the advice is about, and the bytes that the image would be smaller by; of advice
    /// that does not shrink it the bytes that would not be made again.
    package let files: FileTally
    /// Some of the files or directories, the largest first.
    package let examples: [PathBytes]
}

extension Advice {
    /// Whether the image gets smaller.
    package var shrinksImage: Bool { kind != .order && kind != .manifestFirst }

    /// All advice for an image, that which saves most first. No byte is counted twice, so all of it may be followed.
    ///
    /// Advice that saves less than 4 KiB, or than a thousandth of the image, is left out. Nothing is advised about files of
    /// the base that the image has. `origins` are the places in the Dockerfile, by layer, as far as the build is
    /// recorded; without them, the bottom layer counts like any other.
    package static func advice(for image: InspectedImage, origins: [LayerOrigin?]) throws -> [Advice] {
        let minimum = max(4096, image.analysis.size / 1000)
        var finder = try AdviceFinder(image, origins)
        return try finder.find().filter { $0.files.bytes >= minimum }
            .sorted { ($1.files.bytes, $0.layer, $0.kind.name) < ($0.files.bytes, $1.layer, $1.kind.name) }
    }
}
