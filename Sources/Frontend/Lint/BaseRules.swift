import DockerfileSyntax
import OCI

extension LintRule {
    static let unpinnedBase = LintRule(
        "UnpinnedBase", "A tag can be moved to another image; a digest cannot", advice: .inChecks)
    static let latestTag = LintRule(
        "LatestTag", "What 'latest' means changes without notice, also to the next major version", advice: .inChecks)
}

extension Linter {
    /// `name` is the base as it is used, with its variables resolved.
    func checkPinning(ofBase name: String, of stage: Stage) {
        guard let reference = try? ImageReference(parsing: name), reference.digest == nil else { return }
        if reference.tag == "latest" {
            let hasTag = name.split(separator: "/").last?.contains(":") ?? false
            report(
                .latestTag,
                hasTag
                    ? "Base image \"\(name)\" is whatever is newest; name a version"
                    : "Base image \"\(name)\" has no tag, which means latest; name a version", at: stage.from)
        }
        report(
            .unpinnedBase, "Base image \"\(name)\" is not pinned to a digest (@sha256:...)", at: stage.from)
    }
}
