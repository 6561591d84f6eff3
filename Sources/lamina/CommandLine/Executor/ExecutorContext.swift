/// The value of kaniko's `--context`, as `lamina build` takes it.
struct ExecutorContext {
    /// The argument of `lamina build`.
    private(set) var location: String
    /// Options of `lamina build` about it.
    private(set) var words: [String] = []
    /// The host of the repository that the context is, as secrets are named by it.
    private(set) var repositoryHost: String?
    /// The scheme, without what changes from one build to the next.
    let kind: String

    private var isLocal: Bool { kind == "dir" }

    /// `git` is the value of `--git`: fields such as `branch=main,recurse-submodules=true`.
    ///
    /// - Throws: ``CommandLineError``.
    init(_ text: String, git: String?, environment: [String: String]) throws(CommandLineError) {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            (kind, location) = ("dir", text)
            return
        }
        kind = parts[0]
        switch (parts[0], parts[1]) {
        case ("dir", let path): location = path.isEmpty ? "." : path
        case ("tar", "stdin"): location = "-"
        case ("tar", _), ("s3", _), ("https", _), ("http", _): location = text
        case ("git", let path):
            let isPlain = environment["GIT_PULL_METHOD"] == "http"
            location = try Self.repository(path, scheme: isPlain ? "git+http" : "git+https", git)
            repositoryHost = path.prefix { $0 != "/" }.split(separator: "@").last.map(String.init)
        case ("gs", _):
            throw CommandLineError(
                message: "--context=\(text) is not there: buckets of Google are not read; use an https:// address")
        default:
            throw CommandLineError(
                message: "--context=\(text) is not there: use dir://, tar://, git://, s3:// or https://")
        }
    }

    /// The repository at `path`, which is `HOST/PATH[#REF[#COMMIT]]`.
    private static func repository(
        _ path: String, scheme: String, _ options: String?
    ) throws(CommandLineError) -> String {
        var ref = ""
        var hasSubmodules = false
        for field in options?.split(separator: ",") ?? [] {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "branch": ref = value.isEmpty ? "" : "refs/heads/\(value)"
            // Only what is built is fetched, whatever it is.
            case "single-branch": break
            case "recurse-submodules": hasSubmodules = Truth.value(of: value) ?? false
            case "insecure-skip-tls" where Truth.value(of: value) != true: break
            default:
                throw CommandLineError(
                    message: "--git=\(field) is not there: use branch, single-branch and recurse-submodules")
            }
        }
        let parts = path.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
        // A commit says it all.
        if let named = parts.dropFirst().last(where: { !$0.isEmpty }) { ref = named }
        let escaped = ref.replacing("%", with: "%25")
        return "\(scheme)://\(parts[0])?submodules=\(hasSubmodules)" + (escaped.isEmpty ? "" : "#\(escaped)")
    }

    /// Looks for the Dockerfile where kaniko does: in the working directory, then in the context.
    mutating func findDockerfile(_ given: String?, _ surroundings: ExecutorCommandLine.Surroundings) {
        let name = given ?? "Dockerfile"
        if name.hasPrefix("https://") || name.hasPrefix("http://") {
            words.append("--file=\(name)")
        } else if surroundings.hasFile(name) {
            words.append("--file=\(surroundings.absolute(name))")
        } else if given != nil {
            let isRelative = isLocal && !name.hasPrefix("/")
            words.append(
                "--file=\(isRelative ? "\(location.hasSuffix("/") ? location : location + "/")\(name)" : name)")
        }
    }
}
