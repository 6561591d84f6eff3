import Diagnostics
package import Frontend
package import Graph
import Linux
package import OCI
package import SystemPackage
import Trees

/// A context that the user gives by name, for a Dockerfile to take files or its base from.
package struct NamedContext: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case directory(FilePath)
        case git(GitSource, label: String)
        case file(HTTPSource)
        /// An image by its name.
        case image(String)
        case layout(LayoutReference)
    }

    package let name: String
    package let content: Content

    /// Parses the argument of `--build-context`:
    /// `NAME=PATH|docker-image://IMAGE|oci-layout://PATH[:TAG|@DIGEST]|URL`.
    ///
    /// - Throws: ``RequestsError`` `.badContext` for what names nothing, in buildx's words.
    package init(parsing text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[1].isEmpty else {
            throw RequestsError(
                .badContext, "invalid context value: \(text), expected key=value",
                hint: "Write it as NAME=PATH, or NAME=docker-image://IMAGE.")
        }
        name = parts[0]
        content = try Self.content(parts[1], name: name)
        var contexts = NamedContexts()
        try contexts.add(name, kind)
    }

    private static func content(_ text: String, name: String) throws -> Content {
        if let image = text.without(prefix: "docker-image://") {
            if image != "scratch" { _ = try ImageReference(parsing: image) }
            return .image(image)
        }
        if let layout = text.without(prefix: "oci-layout://") { return .layout(try LayoutReference(parsing: layout)) }
        switch try ContextLocation(parsing: text) {
        case .git(let source, _):
            let label = RemoteContext.git(source).label
            return .git(source, label: "[context \(name)] \(label.replacing("[internal] ", with: ""))")
        case .http(let source, _): return .file(source)
        case .standardInput: return .directory("-")
        case .directory(let path):
            guard !text.contains("://") else {
                throw RequestsError(
                    .badContext, "unsupported context source \(text.prefix { $0 != ":" }) for \(name)",
                    hint: "Use a directory, docker-image://, oci-layout://, or the URL of a file or a Git repository.")
            }
            return .directory(path)
        case .archive, .object: preconditionFailure("only the context of a build is given so")
        }
    }

    /// Its meaning in a Dockerfile.
    package var kind: NamedContexts.Content {
        switch content {
        case .directory, .git: .files
        case .file(let source): .file(source)
        case .image(let name): .image(name)
        case .layout: .layout
        }
    }
}

extension [NamedContext] {
    /// Their meaning in a Dockerfile.
    package func named() throws -> NamedContexts {
        var contexts = NamedContexts()
        for context in self { try contexts.add(context.name, context.kind) }
        return contexts
    }
}

/// An image in a directory that is an OCI layout.
package struct LayoutReference: Hashable, Sendable {
    package let directory: FilePath
    /// A manifest or an index of it; `nil` for the one that the tag names.
    package let digest: Digest?
    package let tag: String

    /// Parses `PATH[:TAG][@DIGEST]`; without both it is the tag `latest`.
    ///
    /// - Throws: ``RequestsError`` `.badContext`.
    package init(parsing text: String) throws {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        do { digest = parts.count == 2 ? try Digest(parsing: parts[1]) : nil } catch {
            throw RequestsError(
                .badContext, "oci-layout reference \"\(text)\" could not be resolved: \(error.message)", cause: error)
        }
        let path = parts[0].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard !path[0].isEmpty else {
            throw RequestsError(
                .badContext, "oci-layout reference \"\(text)\" could not be resolved: it names no directory")
        }
        directory = FilePath(path[0])
        tag = path.count == 2 ? path[1] : "latest"
    }
}

extension String {
    fileprivate func without(prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
