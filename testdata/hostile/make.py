"""Makes hostile archives and images: make.py DIRECTORY OUTSIDE, OUTSIDE being a directory nothing may change."""

import hashlib
import io
import json
import os
import sys
import tarfile

directory, outside = sys.argv[1:]
FILE, LINK, HARD, BLOCK = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.BLKTYPE


def archive(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, target, content, mode in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode, info.size = kind, target, mode, len(content)
            if kind == BLOCK:
                info.devmajor, info.devminor = 254, 0
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def write(name, content):
    with open(os.path.join(directory, name), "wb") as file:
        file.write(content)


up = "../../../../../../../../.."
archives = {
    "dots": [(up + outside + "/evil", FILE, "", b"x", 0o644)],
    "inner-dots": [("a/../" + up + outside + "/evil", FILE, "", b"x", 0o644)],
    "absolute": [(outside + "/evil", FILE, "", b"x", 0o644)],
    "link": [("d", LINK, outside, b"", 0o777), ("d/evil", FILE, "", b"x", 0o644)],
    "relative-link": [("d", LINK, up + outside, b"", 0o777), ("d/evil", FILE, "", b"x", 0o644)],
    "link-to-file": [("d", LINK, outside + "/old", b"", 0o777), ("d", FILE, "", b"x", 0o644)],
    "hard-link": [("h", HARD, outside + "/old", b"", 0o644)],
    "hard-link-dots": [("h", HARD, up + outside + "/old", b"", 0o644), ("h", FILE, "", b"x", 0o644)],
    "hard-link-over-link": [("d", LINK, outside, b"", 0o777), ("h", HARD, "d/old", b"", 0o644)],
    "device": [("disk", BLOCK, "", b"", 0o666)],
    "setuid": [("su", FILE, "", b"#!/bin/sh\n", 0o4755)],
}
for name, members in archives.items():
    write(name + ".tar", archive(members))

with tarfile.open(os.path.join(directory, "much.tar"), "w", format=tarfile.PAX_FORMAT) as tar:
    info = tarfile.TarInfo("GNUSparseFile.0/much")
    info.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "much", "GNU.sparse.realsize": str(1 << 40)
    }
    content = b"1\n0\n5\n".ljust(512, b"\0") + b"hello"
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))

with open("/bin/busybox", "rb") as file:
    busybox = file.read()
base = [("bin/busybox", FILE, "", busybox, 0o755), ("bin/sh", LINK, "busybox", b"", 0o777)]


def image(name, config, members=(), layer=None):
    layer = layer or archive(base + list(members))
    digest = hashlib.sha256(layer).hexdigest()
    config = dict({"Env": ["PATH=/bin"]}, **config)
    document = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]},
    }
    manifest = [{"Config": "c.json", "RepoTags": [name + ":1"], "Layers": ["l.tar"]}]
    files = [("c.json", json.dumps(document)), ("manifest.json", json.dumps(manifest))]
    members = [(path, FILE, "", text.encode(), 0o644) for path, text in files]
    write("image-" + name + ".tar", archive(members + [("l.tar", FILE, "", layer, 0o644)]))


image("nul", {"Env": ["PATH=/bin", "A=x\0y"]})
image("user-newline", {"User": "root\nx:0:0"})
image("user-huge", {"User": "99999999999999999999"})
image("passwd-link", {"User": "bob"}, [("etc/passwd", LINK, outside + "/passwd", b"", 0o777)])
image("workdir-dots", {"WorkingDir": up + outside + "/evil"})
image("workdir-open", {"WorkingDir": "/proc/self/fd/5"})
image("workdir-link", {"WorkingDir": "/w/evil"}, [("w", LINK, outside, b"", 0o777)])
image("shell-self", {"Shell": ["/proc/self/exe", "--version"]})
image("script-self", {"Shell": ["/s"]}, [("s", FILE, "", b"#!/proc/self/exe\n", 0o755)])
image("etc-link", {}, [("etc", LINK, outside, b"", 0o777)])
image("kernel-links", {}, [(name, LINK, outside, b"", 0o777) for name in ("proc", "dev", "sys")])
image("hosts-link", {}, [("etc/hosts", LINK, up + outside + "/evil", b"", 0o777)])
image("layer-dots", {}, layer=archive(archives["dots"]))
image("layer-hard-link", {}, layer=archive(archives["hard-link-dots"]))
image("layer-link", {}, layer=archive(base + archives["link"]))
image("layer-own-link", {}, [("here", LINK, "srv", b"", 0o777), ("here/there", FILE, "", b"x", 0o644)])
