import Layers
import OCI

/// A command that installs what files of a project name, and reads nothing else of the project.
struct DependencyInstall: Hashable {
    /// The format of the files.
    enum Format: Hashable { case npm, yarn, pip, go, bundler }

    let format: Format
    /// The names of files in the working directory that the command needs.
    let required: [String]
    /// Names of files there that the command reads where they are.
    let optional: [String]
    /// Names of files there that make the command read more than it is known for.
    let excluded: [String]
    /// Whether scripts of the project run.
    let runsScripts: Bool

    /// `nil` for a command that is none, or has a word whose meaning is not known.
    init?(_ words: [String]) {
        var words = words
        if ["python", "python3"].contains(words[0]), words.count > 3, words[1] == "-m" { words.removeFirst(2) }
        if words[0] == "yarn", words.count == 1 || words[1].hasPrefix("-") { words.insert("install", at: 1) }
        guard words.count > 1 else { return nil }
        let verb = words[1]
        let rest = Array(words.dropFirst(2))
        switch (words[0], verb) {
        case ("npm", "ci"), ("npm", "install"), ("npm", "i"):
            self.init(
                .npm, ["package.json"], ["package-lock.json", "npm-shrinkwrap.json", ".npmrc"], ["binding.gyp"], rest)
        case ("yarn", "install"):
            self.init(
                .yarn, ["package.json"], ["yarn.lock", ".yarnrc", ".npmrc"], [".yarnrc.yml", "binding.gyp"], rest)
        case ("pip", "install"), ("pip3", "install"):
            guard let (files, options) = Self.requirements(rest) else { return nil }
            self.init(.pip, files, [], [], options)
        case ("go", "mod"):
            guard rest.first == "download" else { return nil }
            self.init(.go, ["go.mod"], ["go.sum"], ["go.work", "vendor"], Array(rest.dropFirst()))
        case ("bundle", "install"): self.init(.bundler, ["Gemfile"], ["Gemfile.lock"], [".bundle", "vendor"], rest)
        default: return nil
        }
    }

    private init?(
        _ format: Format, _ required: [String], _ optional: [String], _ excluded: [String], _ options: [String]
    ) {
        guard options.allSatisfy({ Self.isKnown($0) }) else { return nil }
        self.format = format
        self.required = required
        self.optional = optional
        self.excluded = excluded
        runsScripts = !options.contains("--ignore-scripts")
    }

    /// Options without a file.
    private static let options: Set<String> = [
        "--audit", "--clean", "--compile", "--deployment", "--disable-pip-version-check", "--frozen-lockfile",
        "--ignore-scripts", "--immutable", "--legacy-peer-deps", "--no-audit", "--no-cache", "--no-cache-dir",
        "--no-compile", "--no-deps", "--no-fund", "--no-progress", "--no-warn-script-location", "--non-interactive",
        "--only-binary=:all:", "--only=prod", "--only=production", "--omit=dev", "--omit=optional", "--prefer-offline",
        "--production", "--production=true", "--pure-lockfile", "--quiet", "--require-hashes", "--silent",
        "--upgrade", "--user", "--verbose", "-U", "-q", "-v", "-x",
    ]

    private static func isKnown(_ option: String) -> Bool {
        if options.contains(option) { return true }
        // Of bundler: numbers of jobs and attempts.
        let number = ["--jobs=", "--retry=", "-j"].first { option.hasPrefix($0) }.map { option.dropFirst($0.count) }
        return number.map { !$0.isEmpty && $0.allSatisfy(\.isASCIIDigit) } ?? false
    }

    /// The files that pip is told to read, and the other words.
    private static func requirements(_ words: [String]) -> (files: [String], options: [String])? {
        var (files, options): ([String], [String]) = ([], [])
        var rest = words[...]
        while let word = rest.popFirst() {
            if ["-r", "--requirement"].contains(word) {
                guard let file = rest.popFirst() else { return nil }
                files.append(file)
            } else if word.hasPrefix("--requirement=") {
                files.append(String(word.dropFirst(14)))
            } else if word.hasPrefix("-r"), word.count > 2 {
                files.append(String(word.dropFirst(2)))
            } else {
                options.append(word)
            }
        }
        guard !files.isEmpty, files.allSatisfy({ !$0.contains("/") && !$0.hasPrefix("-") }) else { return nil }
        return (files, options)
    }

    /// Whether a file of these bytes refers to no other file of the project, and runs nothing of it.
    func isSelfContained(_ name: String, _ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        switch format {
        case .npm, .yarn:
            if name == "package.json" { return isSelfContainedPackage(text) }
            return !["file:", "link:", "portal:", "\"link\""].contains(where: text.contains)
        case .pip: return Self.lines(of: text).allSatisfy(Self.isPlainRequirement)
        case .go:
            return !Self.lines(of: text).contains { line in
                line.firstRange(of: "=>").map {
                    [".", "/"].contains(line[$0.upperBound...].drop { $0 == " " }.prefix(1))
                }
                    ?? false
            }
        case .bundler:
            if name == "Gemfile.lock" { return !text.contains("PATH\n") }
            // The file is a program: these are the ways in which it names other files.
            return ![
                "path", "gemspec", "eval", "require ", "require_", "require(", "File", "Dir", "IO", "load", "file:",
                "`", "%x",
            ]
            .contains(where: text.contains)
        }
    }

    private func isSelfContainedPackage(_ text: String) -> Bool {
        guard let package = try? JSON(parsing: text), package.object != nil, package["workspaces"] == nil else {
            return false
        }
        let scripts = [
            "preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare", "prepublish",
        ]
        if runsScripts, scripts.contains(where: { package["scripts"]?[$0] != nil }) { return false }
        let lists = [
            "dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides", "resolutions",
        ]
        return lists.allSatisfy { list in
            (package[list]?.object?.members ?? []).allSatisfy { member in
                guard let version = member.value.string else { return false }
                return !["file:", "link:", "portal:", "workspace:", "patch:", ".", "/", "~/"].contains(
                    where: version.hasPrefix)
            }
        }
    }

    private static func lines(of text: String) -> [Substring] {
        text.replacing("\\\n", with: " ").split { $0.isNewline }.map { $0.drop { $0 == " " || $0 == "\t" } }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") && !$0.hasPrefix("//") }
    }

    /// A line such as `flask[async]==3.0; python_version > "3" --hash=sha256:…`: no option, path or address.
    private static func isPlainRequirement(_ line: Substring) -> Bool {
        guard let first = line.first, first.isASCIILetterOrDigit else { return false }
        let comment = line.firstRange(of: " #").map { line[..<$0.lowerBound] } ?? line
        let words = comment.split(separator: " ")
        return !comment.contains(where: { "/\\$@".contains($0) })
            && !words.contains { $0.hasPrefix("-") && !$0.hasPrefix("--hash=") }
            && ![".whl", ".zip", ".gz", ".bz2", ".xz"].contains { words.first?.hasSuffix($0) ?? false }
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9" as ClosedRange).contains(self) }
    fileprivate var isASCIILetterOrDigit: Bool { isASCII && (isLetter || isNumber) }
}
