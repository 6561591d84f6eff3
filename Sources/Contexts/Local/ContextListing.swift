package import DockerfileSyntax
import Layers
package import Linux
import Requests
package import SystemPackage
import Trees

/// The files that a build would see in its context, and why.
package struct ContextListing: Sendable {
    /// A file, link or device of the context; directories are not listed.
    package struct File: Hashable, Sendable {
        /// Relative to the context.
        package let path: PathBytes
        /// In bytes; 0 for all but regular files.
        package let size: Int64
        package let kind: Kind

        package init(path: PathBytes, size: Int64, kind: Kind) {
            self.path = path
            self.size = size
            self.kind = kind
        }
    }

    /// The kind of a listed file; sockets arrive as empty files.
    package enum Kind: String, Sendable {
        case file
        case symlink
        case device
        case fifo
    }

    /// The verdict of the ignore file on one path.
    package struct Decision: Hashable, Sendable {
        /// Relative to the context, with dots resolved.
        package let path: PathBytes
        /// The pattern that decided, whichever way; `nil` if none matches the path or a directory above it.
        package let pattern: IgnoreRules.Pattern?
        package let isIgnored: Bool
        /// Whether there is such a file, ignored or not.
        package let exists: Bool
        /// Whether a build sees it: an ignored directory is seen if something below it is.
        package let isVisible: Bool

        package init(path: PathBytes, pattern: IgnoreRules.Pattern?, isIgnored: Bool, exists: Bool, isVisible: Bool) {
            self.path = path
            self.pattern = pattern
            self.isIgnored = isIgnored
            self.exists = exists
            self.isVisible = isVisible
        }
    }

    /// The ignore file that counts, `nil` if there is none.
    package let ignoreFile: FilePath?
    private let rules: IgnoreRules
    private let tree: ContextTree
    private let everything: ContextTree

    /// Looks for the ignore file as a build does, but needs no Dockerfile unless one is `chosen`. The directory `store` is
    /// no part of the context.
    ///
    /// - Throws: ``ContextsError`` `.contextNotFound` and `.dockerfileNotFound`, and `FrontendError` for a bad ignore file.
    package init(of context: FilePath, dockerfile chosen: FilePath? = nil, without store: FilePath? = nil) throws {
        try LocalFiles.requireContext(context)
        let dockerfile =
            chosen == nil
            ? try? LocalFiles.dockerfile(nil, in: context) : try LocalFiles.dockerfile(chosen, in: context)
        let ignore = try IgnoreFile(dockerfile: dockerfile, context: context)
        ignoreFile = ignore.path
        rules = ignore.rules
        tree = try ContextTree(context, rules: rules, cache: nil, without: store)
        everything = try ContextTree(context, rules: IgnoreRules(patterns: []), cache: nil, without: store)
    }

    /// All files in byte order of their paths.
    package func files() throws -> [File] {
        guard let root = try tree.node(at: "") else { return [] }
        var files: [File] = []
        var pending = [root]
        while let directory = pending.popLast() {
            var contents = try tree.contents(of: directory)
            while let node = try contents.popFirst() {
                if let kind = Self.kind(of: node) {
                    files.append(File(path: node.path, size: node.entry.size, kind: kind))
                } else {
                    pending.append(node)
                }
            }
        }
        return files.sorted { $0.path < $1.path }
    }

    /// The verdict on a path, relative to the context, and its reason. The path need not exist.
    package func decision(on path: PathBytes) throws -> Decision {
        var components: [PathBytes] = []
        for component in path.components where component != "." {
            if component == ".." { _ = components.popLast() } else { components.append(component) }
        }
        let path = components.reduce(PathBytes("")) { $0.appending($1) }
        return Decision(
            path: path, pattern: rules.decidingPattern(for: path.bytes), isIgnored: rules.ignores(path.bytes),
            exists: try everything.node(at: path) != nil, isVisible: try tree.node(at: path) != nil)
    }

    /// `nil` for a directory.
    private static func kind(of node: FileNode) -> Kind? {
        switch node.entry.kind {
        case .directory: nil
        case .symlink: .symlink
        case .characterDevice, .blockDevice: .device
        case .fifo: .fifo
        case .regular, .hardLink, .whiteout, .opaque: .file
        }
    }
}
