import SystemPackage
import Testing

/// `apt-get install` without a network: with users, groups, setgid directories and scripts of its own.
@Suite(
    "Installing a package",
    .enabled(
        if: Machine.canMakeDebian && Machine.hasPlainUsers && Machine.has("dpkg-deb"),
        "needs root, a Debian base, dpkg-deb, uidmap and setpriv"))
struct PackageTests {
    private let scratch: Scratch
    private let context: FilePath

    init() throws {
        scratch = try Scratch()
        context = try scratch.context(
            """
            FROM \(DebianBase.name)
            RUN --mount=target=/repo,source=repo \
                rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* && \
                echo 'deb [trusted=yes] file:/repo ./' > /etc/apt/sources.list && \
                apt-get update && apt-get install -y lamina-test
            RUN test "$(stat -c '%U:%G %a' /var/lib/lamina-test)" = 'www-data:mail 2750' && id -u lamina-test && \
                su -s /bin/sh -c 'test "$(id -un)" = www-data && ls /var/lib/lamina-test' www-data && \
                dpkg --verify lamina-test

            """)
        try scratch.write(
            """
            Package: lamina-test
            Version: 1.0
            Architecture: all
            Maintainer: Nobody <nobody@example.org>
            Description: nothing

            """, to: "package/DEBIAN/control")
        try scratch.write(
            """
            #!/bin/sh
            set -e
            useradd --system lamina-test
            mkdir -p /var/lib/lamina-test
            chown www-data:mail /var/lib/lamina-test
            chmod 2750 /var/lib/lamina-test

            """, to: "package/DEBIAN/postinst", mode: FilePermissions(rawValue: 0o755))
        try scratch.write("x\n", to: "package/usr/share/lamina-test/file")
        try expectSuccess(
            "sh", "-ec",
            """
            chmod 755 "$0" && cd "$0" && chmod -R go+rX,go-w package && mkdir context/repo
            dpkg-deb --build --root-owner-group package context/repo/a.deb
            cd context/repo
            {
                dpkg-deb -f a.deb
                echo "Filename: ./a.deb"
                echo "Size: $(stat -c %s a.deb)"
                echo "SHA256: $(sha256sum a.deb | cut -d' ' -f1)"
            } > Packages
            """, scratch.path.string)
    }

    @Test func worksForAPlainUser() throws {
        let user = try PlainUser()
        try user.succeeding(["lamina", "import", "-", DebianBase.name], input: try DebianBase.archive())
        try user.succeeding(["lamina", "build", "--progress=plain", context.string])
    }

    @Test func worksInAChangedRoot() throws {
        let lamina = Lamina(root: scratch.path.appending("store"))
        try lamina.succeeding("import", try DebianBase.archive().string, DebianBase.name)
        let finished = try lamina.startInContainer(["build", "--progress=plain", context.string]).wait()
        #expect(finished.status == 0, "\(finished.errorText)")
    }
}
