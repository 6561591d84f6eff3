import Diagnostics
package import Graph
import OCI

/// The contexts that a user gives besides that of the build. They stand in for the images and stages of their names.
package struct NamedContexts: Sendable {
    /// The kind of a context, as far as a Dockerfile's meaning depends on it.
    package enum Content: Hashable, Sendable {
        /// The files of a directory or a repository, which are looked at when a step needs them.
        case files
        /// A file of the web.
        case file(HTTPSource)
        /// An image by its name.
        case image(String)
        /// An image in a layout directory.
        case layout
    }

    private var entries: [String: (name: String, content: Content)] = [:]

    package init() {}

    /// Adds a context; of one name the last counts. A name such as `src::linux/arm64` is that of the context for one
    /// platform, which goes before the one for all.
    ///
    /// - Throws: ``FrontendError`` `.invalid` when it is no name that an image could have.
    package mutating func add(_ name: String, _ content: Content) throws {
        guard let key = Self.key(name) else {
            throw FrontendError(
                .invalid, "invalid context name \(name)", hint: "Use a name that an image could have, in lower case.")
        }
        entries[key] = (name, content)
    }

    /// The context that replaces an image or a stage of a name; `nil` if there is none.
    func content(_ name: String) -> (name: String, content: Content)? { Self.key(name).flatMap { entries[$0] } }

    /// The context that replaces an image or a stage of a name in a Dockerfile, for a platform; `nil` if there is none.
    func source(_ name: String, for platform: Platform) -> StageSource? {
        guard let (name, content) = content("\(name)::\(platform)") ?? content(name) else { return nil }
        return switch content {
        case .files, .file: .context(name)
        case .image("scratch"): .scratch
        case .image(let image): .image(image)
        case .layout: .layout(name)
        }
    }

    /// The name of a context as the user gave it; `nil` where there is none.
    func name(_ name: String) -> String? { content(name)?.name }

    /// Names are compared as those of images. The two words that mean something else stand for no context.
    private static func key(_ name: String) -> String? {
        guard let mark = name.firstRange(of: "::") else {
            guard !["scratch", "context"].contains(name.lowercased()) else { return nil }
            return try? ImageReference(parsing: name).description
        }
        guard let platform = try? Platform(parsing: String(name[mark.upperBound...])),
            let key = key(String(name[..<mark.lowerBound]))
        else { return nil }
        return "\(key)::\(platform)"
    }
}
