import Layers
import Linux

/// The files of an image that rules are about.
struct PolicyFiles {
    private let image: InspectedImage
    /// Of each node whether no rule is for it.
    private let ignored: [Bool]

    init(_ image: InspectedImage, ignoring patterns: [String]) throws {
        self.image = image
        ignored = try Self.matches(patterns, image.tree)
    }

    private static func matches(_ patterns: [String], _ tree: ImageTree) throws -> [Bool] {
        var all = [Bool](repeating: false, count: tree.count)
        for pattern in patterns {
            var matcher = try PathMatcher(PathPattern(glob: pattern))
            for (node, isMatch) in try matcher.matches(in: tree).enumerated() where isMatch { all[node] = true }
        }
        return all
    }

    private var tree: ImageTree { image.tree }
    private var last: Int { tree.layerCount - 1 }

    private func finding(_ node: Int, _ file: TreeFile, _ text: String = "") -> PolicyEvaluation.Finding {
        PolicyEvaluation.Finding(path: tree.path(of: node), layer: file.layer, text: text)
    }

    /// The files of the finished image that satisfy a condition.
    func live(where condition: (LayerEntry) -> Bool) -> [PolicyEvaluation.Finding] {
        (1..<max(1, tree.count)).compactMap { node in
            guard !ignored[node], let file = tree.file(at: node, after: last), let entry = file.entry,
                condition(tree.entry(entry, of: file.layer))
            else { return nil }
            return finding(node, file)
        }
    }

    /// The files of the finished image at some paths.
    func matching(_ patterns: [String]) throws -> [PolicyEvaluation.Finding] {
        let matches = try Self.matches(patterns, tree)
        return matches.indices.filter { matches[$0] && !ignored[$0] }.compactMap { node in
            tree.file(at: node, after: last).map { finding(node, $0) }
        }
    }

    // MARK: Package caches

    func packageCaches() throws -> [PolicyEvaluation.Finding] {
        let matches = try Self.matches(PackageCache.all.flatMap(\.patterns), tree)
        return matches.indices.compactMap { node in
            guard matches[node], !ignored[node], let file = tree.file(at: node, after: last), let entry = file.entry,
                tree.lists[file.layer].storedSize(of: entry) > 0
            else { return nil }
            return finding(node, file)
        }
    }

    // MARK: Duplicates

    private struct Content: Hashable {
        let size: Int64
        let hash: UInt64
    }

    /// The bytes that would be saved if equal files were one, and the files besides the first of each kind.
    func duplicates() -> (Int64, [PolicyEvaluation.Finding]) {
        var first: [Content: Int] = [:]
        var bytes: Int64 = 0
        var found: [PolicyEvaluation.Finding] = []
        for node in 1..<max(1, tree.count) where !ignored[node] {
            guard let file = tree.file(at: node, after: last), let index = file.entry else { continue }
            let list = tree.lists[file.layer]
            let size = list.storedSize(of: index)
            guard size > 0 else { continue }
            let content = Content(size: size, hash: list.contentHash(of: index))
            if let other = first[content] {
                bytes &+= size
                found.append(finding(node, file, "equals /\(tree.path(of: other).text)"))
            } else {
                first[content] = node
            }
        }
        return (bytes, found)
    }

    // MARK: Secrets

    /// Names that only files with secrets have.
    private static let secretPatterns = [
        "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "/**/.aws/credentials", "/**/.docker/config.json", ".netrc",
        ".git-credentials", ".pypirc", ".pgpass", ".npmrc", "*.p12", "*.pfx", "*.kdbx", ".htpasswd", ".env",
        "/**/.kube/config", "/**/.gnupg/private-keys-v1.d/*", "/**/.config/gcloud/credentials.db",
        "/**/.azure/accessTokens.json", "/etc/ssh/ssh_host_*_key",
    ]
    /// Names of files that may hold a private key.
    private static let keyPatterns = ["*.pem", "*.key"]

    /// Files of any layer, as they are shipped even if a later layer removes them. Examples in documentation and in
    /// directories for tests count as well: they can be ignored by their paths.
    func secrets() throws -> [PolicyEvaluation.Finding] {
        let named = try Self.matches(Self.secretPatterns, tree)
        let keys = try Self.matches(Self.keyPatterns, tree)
        var found: [(node: Int, finding: PolicyEvaluation.Finding)] = []
        var candidates: [ContentPlace: (node: Int, file: TreeFile)] = [:]
        for node in 1..<max(1, tree.count) where (named[node] || keys[node]) && !ignored[node] {
            for file in tree.files(at: node) {
                guard let place = image.place(of: file), image.entry(at: place).size > 0 else { continue }
                if named[node] {
                    found.append((node, finding(node, file, "the name says that it is a secret")))
                } else if image.entry(at: place).size <= 1 << 20 {
                    candidates[place] = (node, file)
                }
            }
        }
        for (place, bytes) in try image.beginnings(of: Array(candidates.keys), limit: 1 << 16) {
            guard let candidate = candidates[place], Self.holdsPrivateKey(bytes) else { continue }
            found.append((candidate.node, finding(candidate.node, candidate.file, "holds a private key")))
        }
        return found.sorted { ($0.node, $0.finding.layer ?? 0) < ($1.node, $1.finding.layer ?? 0) }.map(\.finding)
    }

    private static func holdsPrivateKey(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let range = text.firstRange(of: "PRIVATE KEY-----") else { return false }
        return text[..<range.lowerBound].contains("-----BEGIN ")
    }
}
