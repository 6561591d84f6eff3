import DockerfileSyntax

extension LintRule {
    static let copyBeforeInstall = LintRule(
        "CopyBeforeInstall", "Dependencies are installed anew after any change of a file copied before",
        advice: .inChecks)
}

/// A tool that installs what a manifest file lists.
private enum DependencyTool {
    /// The tool that `command` installs dependencies with, e.g. `npm`; `nil` if it installs none.
    static func name(of command: ShellCommands.Command) -> String? {
        let words = command.words
        let verbs = words.filter { !$0.hasPrefix("-") }
        switch command.name {
        case "pip", "pip3": return isRequirements(words) ? "pip" : nil
        case "python", "python3": return words.starts(with: ["-m", "pip"]) && isRequirements(words) ? "pip" : nil
        case "uv":
            return verbs.first == "sync" || (verbs.first == "pip" && (isRequirements(words) || verbs.contains("sync")))
                ? "uv" : nil
        case "npm": return verbs.first == "ci" || isBare(words, ["install", "i"]) ? "npm" : nil
        case "yarn": return words.allSatisfy { $0.hasPrefix("-") } || isBare(words, ["install"]) ? "yarn" : nil
        case "pnpm": return verbs.first == "fetch" || isBare(words, ["install", "i"]) ? "pnpm" : nil
        case "bun": return isBare(words, ["install", "i"]) ? "bun" : nil
        case "go": return verbs.starts(with: ["mod", "download"]) ? "go mod" : nil
        case "cargo": return ["fetch", "vendor", "build"].contains(verbs.first ?? "") ? "cargo" : nil
        case "bundle", "poetry", "pipenv", "composer":
            return ["install", "sync"].contains(verbs.first ?? (command.name == "bundle" ? "install" : ""))
                ? command.name : nil
        case "mvn", "mvnw": return verbs.contains { $0.hasPrefix("dependency:") } ? "mvn" : nil
        case "dotnet": return verbs.first == "restore" ? "dotnet" : nil
        case "mix": return verbs.first == "deps.get" ? "mix" : nil
        default: return nil
        }
    }

    private static func isRequirements(_ words: [String]) -> Bool {
        let isFile: (String) -> Bool = {
            $0 == "-r" || $0.hasPrefix("--requirement") || ($0.hasPrefix("-r") && $0.hasSuffix(".txt"))
        }
        return words.contains("install") && words.contains(where: isFile)
    }

    /// Whether the command is one of the verbs without names of packages, which would not come from a manifest.
    private static func isBare(_ words: [String], _ verbs: Set<String>) -> Bool {
        let names = words.filter { !$0.hasPrefix("-") }
        return names.count == 1 && verbs.contains(names[0]) && !words.contains("-g") && !words.contains("--global")
    }
}

extension Linter {
    /// `COPY . .` above the installation of dependencies that could have been done before it.
    func checkInstallOrder(of stage: Stage) {
        var copies: [(instruction: Instruction, isReported: Bool)] = []
        var installed: Set<String> = []
        for instruction in stage.instructions {
            if Self.copiesWholeContext(instruction) { copies.append((instruction, false)) }
            guard case .run(let run) = instruction.kind else { continue }
            for tool in ShellCommands.of(run).compactMap(DependencyTool.name) where installed.insert(tool).inserted {
                guard let index = copies.lastIndex(where: { !$0.isReported }) else { continue }
                copies[index].isReported = true
                let line = instruction.range.lines.lowerBound
                report(
                    .copyBeforeInstall,
                    "Any changed file makes '\(tool)' on line \(line) install everything again; copy the files that "
                        + "list the dependencies first, and the rest after it", at: copies[index].instruction)
            }
        }
    }

    private static func copiesWholeContext(_ instruction: Instruction) -> Bool {
        let sources: [DockerfileSyntax.CopySource]
        switch instruction.kind {
        case .copy(let copy) where (copy.from ?? "").isEmpty: sources = copy.sources
        case .add(let add): sources = add.sources
        default: return false
        }
        return sources.contains { source in
            guard case .path(let word) = source else { return false }
            return [".", "./", "/", "*", "./*"].contains(word)
        }
    }
}
