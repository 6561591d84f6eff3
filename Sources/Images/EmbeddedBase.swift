import Diagnostics
import Glibc
import Layers
import Linux
package import OCI
package import Store
import SystemPackage
import Trees

/// `lamina/base`: a tiny base image that needs no registry, made from the machine's static busybox.
///
/// One layer: busybox with a link for each of its applets, and the few files that programs expect of a system. The
/// same busybox gives the same image everywhere.
package struct EmbeddedBase {
    package static let reference = ImageReference(registry: "docker.io", repository: "lamina/base", tag: "latest")

    package let images: ImageTransfer

    package init(images: ImageTransfer) {
        self.images = images
    }

    /// The paths at which Debian's busybox-static puts its program, and at which a build of Lamina's own Dockerfile finds one.
    private static let candidates: [FilePath] = ["/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox"]

    /// Makes the image and names it in the store.
    ///
    /// Throws ``ImagesError`` `.imageNotFound` when there is no static busybox.
    package func install() throws -> StoredImage {
        guard let program = Self.candidates.first(where: ExecutableFile.isStatic) else {
            throw ImagesError(
                .imageNotFound, "\(Self.reference.familiar) is made from a static busybox, and this machine has none",
                hint: "Install Debian's package busybox-static.")
        }
        let diffID = try images.storage.write(try Self.draft(program))
        var config = ImageConfig(platform: .host)
        config.diffIDs = [diffID]
        config.config.environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        config.config.command = ["sh"]
        config.created = Timestamp(seconds: 0)
        config.history = [
            History(
                created: Timestamp(seconds: 0), createdBy: "busybox and the links to it", comment: "lamina/base",
                emptyLayer: false)
        ]
        let id = try images.store.content.save(config.encoded)
        return try images.save(id, config, manifest: nil, layers: [], as: [Self.reference])
    }

    /// It is made of this machine's own program. Throws ``ImagesError`` `.imageNotFound` for another machine.
    package static func requireSupport(for platform: Platform) throws {
        guard Platform.host.distance(from: platform) == nil else { return }
        throw ImagesError(
            .imageNotFound, "\(reference.familiar) is made on this machine, for \(Platform.host) and not \(platform)",
            hint: "Take a base image from a registry.")
    }

    private static func draft(_ program: FilePath) throws -> LayerDraft {
        var draft = LayerDraft(on: LayerTree())
        let new = NewDirectory(modified: FileTime(seconds: 0))
        for (path, permissions) in directories {
            try draft.makeDirectory(path, NewDirectory(permissions: permissions, modified: new.modified))
        }
        for (path, text) in files {
            let entry = LayerEntry(path: path, kind: .regular, permissions: 0o644, size: Int64(text.utf8.count))
            try draft.put(LayerDraft.File(entry: entry, content: .bytes(Array(text.utf8))), at: path, parents: new)
        }
        let busybox = try OwnedDescriptor.open(program).readAll(limit: 64 << 20)
        let entry = LayerEntry(path: "bin/busybox", kind: .regular, permissions: 0o755, size: Int64(busybox.count))
        try draft.put(LayerDraft.File(entry: entry, content: .bytes(busybox)), at: "bin/busybox", parents: new)
        for applet in applets {
            let path = PathBytes("bin/\(applet)")
            let link = LayerEntry(path: path, kind: .symlink, permissions: 0o777, linkTarget: "busybox")
            try draft.put(LayerDraft.File(entry: link, content: .none), at: path, parents: new)
        }
        return draft
    }

    private static let directories: [(PathBytes, UInt32)] = [
        ("bin", 0o755), ("dev", 0o755), ("etc", 0o755), ("home", 0o755), ("proc", 0o755), ("root", 0o700),
        ("sys", 0o755), ("tmp", 0o1777), ("usr", 0o755), ("usr/bin", 0o755), ("var", 0o755), ("var/tmp", 0o1777),
    ]

    private static let files: [(PathBytes, String)] = [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"),
        ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
        ("etc/nsswitch.conf", "hosts: files dns\n"),
    ]

    /// The tools of Debian's busybox-static that Dockerfiles use.
    private static let applets = """
        [ [[ adduser addgroup ar arch ash awk base64 basename bunzip2 bzcat bzip2 cal cat chgrp chmod chown chroot \
        cksum clear cmp cp cpio cut date dc dd deluser delgroup df diff dirname dmesg dos2unix du echo ed egrep env \
        expand expr factor fallocate false fgrep find fold free getopt grep groups gunzip gzip head hexdump hostid \
        hostname id ifconfig install ip kill killall last less link ln logger logname ls lzcat lzma md5sum mkdir \
        mkfifo mknod mktemp more mount mv nc netstat nice nl nohup nproc nslookup od paste patch pgrep pidof ping \
        pkill printenv printf ps pwd readlink realpath renice reset rev rm rmdir sed seq setsid sh sha1sum sha256sum \
        sha512sum shred shuf sleep sort split stat strings stty su sum sync tac tail tar tee telnet test time timeout \
        top touch tr traceroute true truncate tty umount uname uncompress unexpand uniq unix2dos unlink unlzma unxz \
        unzip uptime usleep uudecode uuencode vi watch wc wget which who whoami xargs xxd xz xzcat yes zcat
        """.split(whereSeparator: \.isWhitespace).map(String.init)
}
