import Glibc
import SystemPackage

/// `debian:bookworm` without a registry: made once by mmdebstrap, and kept as a tar archive.
enum DebianBase {
    static let name = "debian:bookworm"

    /// LAMINA_TEST_CACHE, else a directory of the temporary files that outlives the tests.
    private static let cache = FilePath(
        environmentVariable("LAMINA_TEST_CACHE") ?? "\(environmentVariable("TMPDIR") ?? "/tmp")/lamina-test-cache")

    private static let file = cache.appending("debian-bookworm.tar")

    static var isCached: Bool { unsafe access(file.string, R_OK) == 0 }

    private static let made = Result { () throws -> FilePath in
        if isCached { return file }
        try expectSuccess("mkdir", "-p", cache.string)
        // Renamed when it is whole: an interrupted run must not leave half a base.
        let partial = "\(file).\(getpid())"
        try expectSuccess(
            "sh", "-ec", "mmdebstrap --quiet --variant=minbase bookworm - > \"$0\" && mv \"$0\" \"$1\"", partial,
            file.string)
        return file
    }

    /// The base as a tar archive.
    static func archive() throws -> FilePath { try made.get() }

    /// Gives a context the machine's own package sources: hosts, keys and proxies are known here and nowhere else.
    static func addSources(to context: FilePath) throws {
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
            """, context.string)
    }
}

/// A store with the Debian base in it, shared by the tests that need one: an apt layer is made once.
enum DebianStore {
    private static let made = Result { () throws -> Lamina in
        let lamina = Lamina(root: try Scratch.shared.get().appending("debian-store"))
        try lamina.succeeding("import", try DebianBase.archive().string, DebianBase.name)
        return lamina
    }

    static func lamina() throws -> Lamina { try made.get() }
}
