import Inspector
import Linux

/// The nodes of a tree whose names tell what they are for.
struct PathMarks {
    /// By node, the directory at or above it that belongs to a version control system, or -1.
    private(set) var versionControl: [Int32]
    /// By node, the file or directory at or above it that tools leave behind, or -1.
    private(set) var artefacts: [Int32]
    /// By node, whether it holds debug symbols.
    private(set) var isDebug: [Bool]
    /// By node, the index of a package cache that has it, or -1.
    private(set) var caches: [Int32]

    private static let repositories: Set<String> = [".git", ".hg", ".svn", ".bzr"]
    private static let leftovers: Set<String> = [
        "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nox", ".gradle", ".nyc_output",
        "CMakeFiles", ".ccache", ".terraform",
    ]
    /// Names of directories within those of another name.
    private static let nestedLeftovers = [("target", "debug"), ("node_modules", ".cache"), (".next", "cache")]
    private static let objectSuffixes = [".o", ".obj", ".pyc", ".lo"]
    private static let debugSuffixes = [".debug", ".dbg", ".pdb"]

    init(_ tree: ImageTree) throws {
        versionControl = [Int32](repeating: -1, count: tree.count)
        artefacts = versionControl
        caches = versionControl
        isDebug = [Bool](repeating: false, count: tree.count)
        let debugDirectory = tree.node(at: "usr/lib/debug") ?? -1
        for node in 1..<max(1, tree.count) {
            let parent = tree.parent(of: node)
            let name = String(decoding: tree.name(of: node), as: UTF8.self)
            let number = Int32(truncatingIfNeeded: node)
            versionControl[node] = versionControl[parent]
            if versionControl[node] < 0, Self.repositories.contains(name) { versionControl[node] = number }
            artefacts[node] = artefacts[parent]
            if artefacts[node] < 0, Self.isLeftover(name, in: tree.name(of: parent)) { artefacts[node] = number }
            isDebug[node] =
                isDebug[parent] || node == debugDirectory || Self.debugSuffixes.contains(where: name.hasSuffix)
        }
        for (index, cache) in PackageCache.all.enumerated() {
            for pattern in cache.patterns {
                var matcher = try PathMatcher(PathPattern(glob: pattern))
                for (node, isMatch) in try matcher.matches(in: tree).enumerated() where isMatch {
                    caches[node] = Int32(truncatingIfNeeded: index)
                }
            }
        }
    }

    private static func isLeftover(_ name: String, in parent: ArraySlice<UInt8>) -> Bool {
        if leftovers.contains(name) || objectSuffixes.contains(where: name.hasSuffix) { return true }
        return nestedLeftovers.contains { $0.1 == name && parent.elementsEqual($0.0.utf8) }
    }
}
