import Glibc
import Synchronization
import SystemPackage

/// Releases of Debian without a registry: each made once by mmdebstrap, and kept as a tar archive.
enum DebianBase {
    /// The oldest release that Lamina is for, and the one after it.
    enum Release: String, Sendable {
        case bookworm, trixie

        var name: String { "debian:\(rawValue)" }

        fileprivate var file: FilePath { cache.appending("debian-\(rawValue).tar") }

        /// Whether a mirror has the release now, as apt finds it with the settings of this machine.
        var isReachable: Bool {
            let probe = """
                file=$(mktemp) && trap 'rm -f "$file"' EXIT
                timeout 60 /usr/lib/apt/apt-helper -o Acquire::Retries=0 -o Acquire::http::Timeout=10 download-file \
                    "http://deb.debian.org/debian/dists/$0/InRelease" "$file"
                """
            return (try? run("sh", "-ec", probe, rawValue))?.status == 0
        }
    }

    static let name = Release.bookworm.name

    /// LAMINA_TEST_CACHE, else a directory of the temporary files that outlives the tests.
    private static let cache = FilePath(
        environmentVariable("LAMINA_TEST_CACHE") ?? "\(environmentVariable("TMPDIR") ?? "/tmp")/lamina-test-cache")

    static var isCached: Bool { isCached(.bookworm) }

    private static func isCached(_ release: Release) -> Bool { unsafe access(release.file.string, R_OK) == 0 }

    /// The results of making each release, for all tests that need it.
    private static let made = Mutex<[Release: Result<FilePath, any Error>]>([:])

    private static func make(_ release: Release) throws -> FilePath {
        let file = release.file
        if isCached(release) { return file }
        try expectSuccess("mkdir", "-p", cache.string)
        // Renamed when it is whole: an interrupted run must not leave half a base.
        try expectSuccess(
            "sh", "-ec", "mmdebstrap --quiet --variant=minbase \"$2\" - > \"$0\" && mv \"$0\" \"$1\"",
            "\(file).\(getpid())", file.string, release.rawValue)
        return file
    }

    /// The base as a tar archive.
    static func archive(_ release: Release = .bookworm) throws -> FilePath {
        try made.withLock { made in
            let result = made[release] ?? Result { try make(release) }
            made[release] = result
            return try result.get()
        }
    }

    /// Gives a context the machine's own package sources: hosts, keys and proxies are known here and nowhere else.
    static func addSources(to context: FilePath, for release: Release = .bookworm) throws {
        try expectSuccess(
            "sh", "-ec",
            """
            mkdir -p "$0/apt/apt.conf.d" "$0/apt/sources.list.d"
            cd /etc/apt
            [ ! -f sources.list ] || cp sources.list "$0/apt/"
            for file in sources.list.d/debian*.list sources.list.d/debian*.sources; do
                [ ! -f "$file" ] || cp "$file" "$0/apt/sources.list.d/"
            done
            for file in apt.conf.d/*; do
                ! grep -qiE 'proxy|acquire::(check|http|https|retries)' "$file" || cp "$file" "$0/apt/apt.conf.d/"
            done
            for directory in keyrings trusted.gpg.d; do
                [ ! -d "$directory" ] || cp -r "$directory" "$0/apt/"
            done
            # The sources name the host now; those that came with the base would be asked as well.
            [ -f "$0/apt/sources.list" ] || : > "$0/apt/sources.list"
            . /etc/os-release
            for file in "$0/apt/sources.list" "$0"/apt/sources.list.d/*; do
                [ ! -f "$file" ] || sed -i "s/$VERSION_CODENAME/$1/g" "$file"
            done
            """, context.string, release.rawValue)
    }
}

/// A store with the Debian bases in it, shared by the tests that need one: an apt layer is made once.
enum DebianStore {
    private static let next = Result { () throws -> Lamina in
        let store = try lamina()
        try store.succeeding("import", try DebianBase.archive(.trixie).string, DebianBase.Release.trixie.name)
        return store
    }

    static func lamina(with release: DebianBase.Release) throws -> Lamina {
        try release == .trixie ? next.get() : lamina()
    }

    private static let made = Result { () throws -> Lamina in
        let lamina = Lamina(root: try Scratch.shared.get().appending("debian-store"))
        try lamina.succeeding("import", try DebianBase.archive().string, DebianBase.name)
        return lamina
    }

    static func lamina() throws -> Lamina { try made.get() }
}
