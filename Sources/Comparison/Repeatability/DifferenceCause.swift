/// Why two builds of the same thing did not give the same file.
package enum DifferenceCause: String, Hashable, Sendable, CaseIterable {
    case time
    case owner
    case mode
    /// The same parts in another order.
    case order
    /// A name or a value that is made up anew each time.
    case random
    case buildPath = "build path"
    case hostName = "host name"
    /// A log, a cache or a backup that a program leaves behind.
    case cacheFile = "cache file"
    /// Anything else.
    case content
}

/// A cause of one file, with what was seen of it and what can be done.
package struct ExplainedCause: Hashable, Sendable {
    package let cause: DifferenceCause
    package let hint: String

    package init(_ cause: DifferenceCause, _ hint: String) {
        self.cause = cause
        self.hint = hint
    }

    static let fileTime = ExplainedCause(
        .time, "times of files: build with --reproducible, or with --rewrite-timestamp and SOURCE_DATE_EPOCH")
    static let imageTime = ExplainedCause(
        .time, "times of the image and its history: build with --reproducible, or set SOURCE_DATE_EPOCH")
    static let owner = ExplainedCause(.owner, "owners of files: give them with COPY --chown, or by numbers")
    static let mode = ExplainedCause(
        .mode, "modes of files, by the mask of the user: use COPY --chmod, or build with --reproducible")
    static let attributes = ExplainedCause(.mode, "extended attributes of files")
    static let numbers = ExplainedCause(
        .time, "numbers in a text, such as a time or that of a process: write none, or SOURCE_DATE_EPOCH")
    static let order = ExplainedCause(
        .order, "the order of lines: sort what is found in a directory or made in parallel")
    static let buildPath = ExplainedCause(
        .buildPath, "the path of the build: -ffile-prefix-map for C, -trimpath for Go, --remap-path-prefix for Rust")
    static let hostName = ExplainedCause(.hostName, "the name of the machine: write none, or give it with --hostname")
    static let randomName = ExplainedCause(
        .random, "names that are made anew each time: give them, or remove the files")
    static let randomValue = ExplainedCause(.random, "a value that is made anew each time: derive it from the input")
    static let content = ExplainedCause(.content, "look at the file in both images: lamina cat IMAGE PATH")
    static let config = ExplainedCause(.content, "fields of the image's config: see lamina inspect")
}

/// Files that package managers and other programs leave behind, and that differ from build to build.
struct ByProduct: Sendable {
    private let matches: @Sendable (String) -> Bool
    private let hint: String

    /// The cause for a file at a path from the root; `nil` for any other file.
    static func cause(of path: String) -> ExplainedCause? {
        all.first { $0.matches(path) }.map { ExplainedCause(.cacheFile, $0.hint) }
    }

    private static func prefix(_ prefix: String, _ hint: String) -> ByProduct {
        ByProduct(matches: { $0.hasPrefix(prefix) }, hint: hint)
    }

    private static func names(_ names: Set<String>, _ hint: String) -> ByProduct {
        ByProduct(matches: { names.contains($0) }, hint: hint)
    }

    private static let all: [ByProduct] = [
        prefix("/var/log/", "logs: remove them in the same RUN"),
        prefix(
            "/var/cache/ldconfig/",
            "the cache of ldconfig holds numbers of inodes: remove /var/cache/ldconfig/aux-cache"),
        prefix("/var/lib/apt/lists/", "lists of apt: end the RUN with rm -rf /var/lib/apt/lists/*"),
        prefix("/var/cache/", "a cache: remove it in the same RUN, or keep it in a RUN --mount=type=cache"),
        names(
            ["/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-"],
            "backups of account files: remove them in the same RUN"),
        ByProduct(
            matches: {
                $0.hasSuffix("-old") && ($0.hasPrefix("/var/lib/dpkg/") || $0.hasPrefix("/var/cache/debconf/"))
            },
            hint: "backups of dpkg and debconf: remove them in the same RUN"),
        names(
            ["/lib/apk/db/scripts.tar", "/usr/lib/apk/db/scripts.tar", "/lib/apk/db/scripts.tar.gz"],
            "the scripts of apk are an archive with times: give virtual packages a version, apk add --virtual NAME=0"),
        names(["/etc/machine-id", "/var/lib/dbus/machine-id"], "the machine's ID: make it empty in the same RUN"),
        names(["/var/lib/systemd/random-seed"], "a random seed: remove it in the same RUN"),
        ByProduct(
            matches: {
                $0.contains("/dnf/history.sqlite") || $0.contains("/rpm/rpmdb.sqlite-") || $0.contains("/yum/history/")
            },
            hint: "the history of dnf: remove it in the same RUN"),
        ByProduct(matches: { $0.hasSuffix("/uv_cache.json") }, hint: "a mark of uv: remove it in the same RUN"),
        ByProduct(
            matches: { $0.contains("/.cache/") || $0.contains("/_cacache/") },
            hint: "a cache: keep it in a RUN --mount=type=cache"),
        ByProduct(
            matches: { $0.hasSuffix("/classes.jsa") }, hint: "the class data of Java: make it when the container starts"
        ),
        ByProduct(matches: { $0.hasSuffix("/.uuid") }, hint: "a mark of fontconfig: remove it in the same RUN"),
    ]
}
