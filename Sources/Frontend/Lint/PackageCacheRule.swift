import DockerfileSyntax

extension LintRule {
    static let packageCacheLeft = LintRule(
        "AptCacheLeft", "What a package manager keeps for its next run is dead weight in a layer", advice: .always)
}

/// A package manager of a distribution, and what it leaves behind.
private struct PackageManager {
    let programs: Set<String>
    /// The subcommands that download.
    let downloads: Set<String>
    /// The directories in which the downloads stay.
    let caches: [String]
    /// Words one of which makes a command clean up or leave nothing.
    let tidyWords: Set<String>
    /// The advice.
    let remedy: String

    /// Only those of common base images.
    static let all = [
        PackageManager(
            programs: ["apt-get", "apt", "aptitude"], downloads: ["update"], caches: ["/var/lib/apt/lists"],
            tidyWords: ["distclean"], remedy: "rm -rf /var/lib/apt/lists/*"),
        PackageManager(
            programs: ["apk"], downloads: ["add", "update", "upgrade"], caches: ["/var/cache/apk", "/etc/apk/cache"],
            tidyWords: ["--no-cache"], remedy: "apk add --no-cache"),
        PackageManager(
            programs: ["dnf", "yum", "microdnf", "tdnf", "dnf5"],
            downloads: ["install", "update", "upgrade", "groupinstall", "reinstall", "makecache"],
            caches: ["/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5", "/var/cache/tdnf"], tidyWords: [],
            remedy: "dnf clean all"),
        PackageManager(
            programs: ["zypper"], downloads: ["install", "in", "refresh", "ref", "update", "up"],
            caches: ["/var/cache/zypp"], tidyWords: [], remedy: "zypper clean --all"),
    ]

    static let allPrograms = all.reduce(into: Set<String>()) { $0.formUnion($1.programs) }

    /// Whether the commands download and leave it.
    func isLeft(by commands: [ShellCommands.Command]) -> Bool {
        let own = commands.filter { programs.contains($0.name) }
        let loads = own.filter { $0.words.contains(where: downloads.contains) }
        guard loads.contains(where: { !$0.words.contains(where: tidyWords.contains) }) else { return false }
        let isCleaned = own.contains { command in
            command.words.contains(where: { tidyWords.contains($0) && !$0.hasPrefix("-") })
                || (command.words.contains("clean") && programs.isDisjoint(with: ["apt-get"]))
        }
        return !isCleaned && !commands.contains(where: removes)
    }

    private func removes(_ command: ShellCommands.Command) -> Bool {
        guard command.name == "rm" || command.name == "find" else { return false }
        return command.words.contains { word in
            caches.contains { cache in
                guard let brace = word.firstIndex(of: "{") else { return word.hasPrefix(cache) || holds(word, cache) }
                // A list in braces names several directories; which ones is the shell's business.
                return cache.hasPrefix(word[..<brace])
            }
        }
    }

    /// Whether the word is a directory above the cache, or everything in one.
    private func holds(_ word: String, _ cache: String) -> Bool {
        var directory = word
        while directory.hasSuffix("*") || directory.hasSuffix("/") { directory.removeLast() }
        return !directory.isEmpty && cache.hasPrefix(directory + "/")
    }

    /// Whether a mount keeps a cache out of the layer.
    func isMounted(by mounts: [String]) -> Bool {
        let targets = mounts.compactMap { mount -> String? in
            let fields = (try? CommaSeparated.fields(mount)) ?? []
            guard fields.contains(where: { ["type=cache", "type=tmpfs"].contains($0.lowercased()) }) else {
                return nil
            }
            return fields.lazy.compactMap { field -> String? in
                let parts = field.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, ["target", "dst", "destination"].contains(parts[0].lowercased()) else {
                    return nil
                }
                return parts[1]
            }.first
        }
        return targets.contains { target in caches.contains { ($0 + "/").hasPrefix(target) || target.hasPrefix($0) } }
    }
}

extension Linter {
    func checkPackageCache(of run: Run, at instruction: Instruction) {
        let commands = ShellCommands.of(run)
        guard commands.contains(where: { PackageManager.allPrograms.contains($0.name) }) else { return }
        for manager in PackageManager.all where manager.isLeft(by: commands) && !manager.isMounted(by: run.mounts) {
            let name = commands.first { manager.programs.contains($0.name) }?.name ?? ""
            report(
                .packageCacheLeft,
                "'\(name)' leaves its cache (\(manager.caches[0])) in the layer; avoid it with '\(manager.remedy)' "
                    + "in the same RUN", at: instruction)
        }
    }
}
