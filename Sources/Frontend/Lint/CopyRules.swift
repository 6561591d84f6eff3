import DockerfileSyntax
import GoCompat

extension LintRule {
    static let copyIgnoredFile = LintRule(
        "CopyIgnoredFile", "What the ignore file leaves out of the build context cannot be copied")
    static let addInsteadOfCopy = LintRule(
        "AddInsteadOfCopy", "ADD may download or unpack; for plain files COPY says what is meant", advice: .inChecks)
    static let secretInContext = LintRule(
        "SecretInContext",
        "Whoever has the image has the secret; keep it out with the ignore file, and use RUN --mount=type=secret",
        advice: .always)
}

extension Linter {
    /// Looks at a source of a COPY or ADD from the build context, with its variables resolved.
    func checkIgnored(_ path: String, _ keyword: String, _ options: BuildOptions, _ step: Step) {
        let path = ContainerPath.cleanAsWritten(path)
        guard let rules = options.ignoreRules, Self.isIgnored(path, rules) else { return }
        let verb = keyword == "ADD" ? "Add" : "Copy"
        report(
            .copyIgnoredFile,
            "Attempting to \(verb) file \(GoFormat.quoted(path)) that is excluded by .dockerignore",
            at: step.instruction)
    }

    /// Looks at all sources of a COPY or ADD from the build context, with their variables resolved.
    ///
    /// `local` are those that are paths in the context, and `isAll` says whether the instruction has no others.
    func checkContextSources(
        _ local: [String], isAll: Bool, _ keyword: String, _ options: BuildOptions, _ step: Step
    ) {
        guard !step.isTrigger else { return }
        checkAdd(local, isAll: isAll, at: step.instruction)
        guard givesAdvice, let contextFiles = options.contextFiles else { return }
        let secrets = Set(local.flatMap(contextFiles).filter(SecretNames.isSecret)).sorted()
        reportSecrets(secrets, lines: step.instruction.range.lines, keyword: keyword)
    }

    /// Rules with exceptions are not judged. The root, and paths that begin there, match only a pattern for everything:
    /// BuildKit compares a path as it is written, and patterns begin at the root without naming it.
    private static func isIgnored(_ path: String, _ rules: IgnoreRules) -> Bool {
        guard !rules.isEmpty, !rules.hasExceptions else { return false }
        if path == "." || path.hasPrefix("/") {
            return rules.patterns.contains { ["*", "**", "**/*"].contains($0.text) }
        }
        return rules.ignores(path)
    }

    private func checkAdd(_ local: [String], isAll: Bool, at instruction: Instruction) {
        guard case .add(let add) = instruction.kind, isAll, add.unpack != true, add.checksum == nil,
            add.keepGitDir == nil, !local.contains(where: Self.mayBeArchive)
        else { return }
        report(.addInsteadOfCopy, "ADD does nothing here that COPY would not do", at: instruction)
    }

    /// Whether ADD might unpack what the path names.
    private static func mayBeArchive(_ path: String) -> Bool {
        let name = path.split(separator: "/").last?.lowercased() ?? ""
        let endings = [".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".gz", ".bz2", ".xz", ".zst", ".zstd"]
        return endings.contains(where: name.hasSuffix) || name.contains(".tar.")
            || ["*", "?", "]"].contains(where: name.hasSuffix)
    }

    /// Reports files that look like secrets, for the COPY or ADD on these lines.
    func reportSecrets(_ paths: [String], lines: ClosedRange<Int>, keyword: String) {
        guard !paths.isEmpty else { return }
        let names = paths.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
        let more = paths.count > 3 ? " and \(paths.count - 3) more" : ""
        report(
            .secretInContext,
            "\(keyword) takes what looks like a secret into the image: \(names)\(more)", instructionAt: lines)
    }
}

/// Names of files that usually hold passwords, tokens or private keys.
package enum SecretNames {
    private static let names: Set<String> = [
        ".env", ".npmrc", ".yarnrc.yml", ".pypirc", ".netrc", "_netrc", ".git-credentials", ".pgpass", ".my.cnf",
        ".htpasswd", ".dockercfg", ".vault-token", "credentials", "credentials.json", "credentials.yml",
        "credentials.yaml", "kubeconfig", "service-account.json", "service_account.json", "secrets.json",
        "secrets.yml", "secrets.yaml", "secrets.toml", "secrets.env", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519",
        "master.key",
    ]
    private static let endings = [".p12", ".pfx", ".jks", ".keystore", ".ppk", ".key"]
    private static let configurations = [".docker/config.json", ".kube/config", ".config/gh/hosts.yml"]
    private static let configurationNames: Set<String> = ["config.json", "config", "hosts.yml"]
    /// Directories that hold the examples and tests of others.
    private static let foreign: Set<Substring> = [
        "node_modules", "vendor", "site-packages", "dist-packages", "testdata", "fixtures",
    ]

    /// The lengths and the first letters of ``names`` and ``configurationNames``.
    private static let shapes = Set(names.union(configurationNames).map { Shape($0.utf8.count, $0.utf8.first ?? 0) })

    private struct Shape: Hashable {
        let count: Int
        let first: UInt8

        init(_ count: Int, _ first: UInt8) { (self.count, self.first) = (count, first) }
    }

    /// Whether ``isSecret(_:)`` needs to be asked of a path: builds ask this of every file copied, and it is no for most.
    package static func mayBeSecret(_ path: [UInt8]) -> Bool {
        let start = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        let name = path[start...]
        let first = name.first.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 } ?? 0
        // All endings are of at most eight letters behind the last dot.
        if first == UInt8(ascii: ".") || shapes.contains(Shape(name.count, first)) { return true }
        guard let dot = name.suffix(9).lastIndex(of: UInt8(ascii: ".")) else { return false }
        let ending = String(decoding: name[dot...], as: UTF8.self).lowercased()
        return ending == ".pem" || endings.contains(ending)
    }

    /// Whether the last component of a path, or the last two, look like those of a secret.
    package static func isSecret(_ path: String) -> Bool {
        let utf8 = path.utf8
        let start = utf8.lastIndex(of: UInt8(ascii: "/")).map(utf8.index(after:)) ?? path.startIndex
        guard isSecretName(path[start...].lowercased(), path) else { return false }
        return foreign.isDisjoint(with: path.lowercased().split(separator: "/"))
    }

    private static func isSecretName(_ name: String, _ path: String) -> Bool {
        if names.contains(name) || endings.contains(where: name.hasSuffix) { return !isPublic(name) }
        if name.hasPrefix(".env.") { return !isExample(name) }
        if name.hasSuffix(".pem") { return (name.contains("key") || name.contains("priv")) && !isPublic(name) }
        guard configurationNames.contains(name) else { return false }
        return configurations.contains { ("/" + path.lowercased()).hasSuffix("/" + $0) }
    }

    private static func isPublic(_ name: String) -> Bool { name.contains("public") || name.hasSuffix(".pub") }

    private static func isExample(_ name: String) -> Bool {
        ["example", "sample", "template", "dist", "defaults", "schema", "test"].contains { name.hasSuffix($0) }
    }
}
