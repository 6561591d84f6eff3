"""Writes archives to the directory given: what the tests of the layer reader feed on."""

import hashlib
import io
import json
import os
import sys
import tarfile


def member(name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def link(name, target, kind=tarfile.SYMTYPE):
    return member(name, type=kind, linkname=target)


def archive(members, format=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


LONG = "/".join(["d" * 90] * 30)


def sparse(name, size, map_text, data):
    headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name, "GNU.sparse.realsize": str(size)
    }
    body = map_text.encode() + b"\0" * (-len(map_text) % 512) + data
    return member("GNUSparseFile.0/" + name, body, pax_headers=headers)


ARCHIVES = {
    "dotdot": lambda: archive([member("a/../../escape", b"x")]),
    "dotdot-link": lambda: archive([link("hard", "../../etc/passwd", tarfile.LNKTYPE)]),
    "dotdot-whiteout": lambda: archive([member("a/.wh...")]),
    "symlink-write": lambda: archive([link("out", "/outside"), member("out/file", b"x")]),
    "symlink-up": lambda: archive([link("out", "../../../.."), member("out/file", b"x")]),
    "symlink-loop": lambda: archive([link("a", "b"), link("b", "a"), member("a/file", b"x")]),
    "symlink-over": lambda: archive([link("f", "/outside"), member("f", b"x")]),
    "file-as-parent": lambda: archive([member("f", b"x"), member("f/g", b"x")]),
    "hardlink-out": lambda: archive([link("dir", "/"), link("h", "dir/outside", tarfile.LNKTYPE)]),
    "truncated": lambda: archive([member("a", b"x" * 5000)])[:2048],
    "truncated-header": lambda: archive([member("a", b"x" * 5000)])[:5632 + 700],
    "garbage": lambda: b"this is no archive at all, but it is long enough" * 40,
    "short": lambda: b"hello",
    "damaged": lambda: archive([member("a"), member("b")])[:600] + b"!" + archive([member("a"), member("b")])[601:],
    "huge-record": lambda: archive([member("x" * (2 << 20), b"")]),
    "bad-pax": lambda: archive([member("a", pax_headers={"SCHILY.xattr.user.a": "b"})], tarfile.PAX_FORMAT).replace(
        b"SCHILY.xattr.user.a=b\n", b"SCHILY.xattr.user.a=bb"),
    "absolute": lambda: archive([member("/abs/./file", b"x"), member("./a//b/", type=tarfile.DIRTYPE)]),
    "gnu-long": lambda: archive([member(LONG, b"long"), link("l", LONG)]),
    "pax-long": lambda: archive([member(LONG, b"long"), link("l", LONG)], tarfile.PAX_FORMAT),
    "pax-names": lambda: archive([member("e\u0301/\u65e5\u672c", b"x")], tarfile.PAX_FORMAT),
    "pax-time": lambda: archive([member("t", mtime=-1.5), member("u", mtime=1.25)], tarfile.PAX_FORMAT),
    "pax-attributes": lambda: archive([
        member("x", b"", pax_headers={"SCHILY.xattr.user.b": "2", "SCHILY.xattr.user.a": "1",
                                      "SCHILY.xattr.trusted.overlay.redirect": "/etc"})], tarfile.PAX_FORMAT),
    "many-attributes": lambda: archive([
        member("x", b"", pax_headers={"SCHILY.xattr.user.%d" % n: "" for n in range(30000)})], tarfile.PAX_FORMAT),
    "long-attribute": lambda: archive([
        member("x", b"", pax_headers={"SCHILY.xattr.user.a": "x" * 65537})], tarfile.PAX_FORMAT),
    "long-link": lambda: archive([link("l", "a/" * 20000)]),
    # A path leads through one long link, and then through as many as a path may.
    "links-to-links": lambda: archive(
        [member("a", type=tarfile.DIRTYPE), link("l", "a/../" * 800 + "a")]
        + [member("l/%d/x" % n) for n in range(2000)]),
    "links-in-links": lambda: archive(
        [member("a", type=tarfile.DIRTYPE)]
        + [link("l%d" % n, "a/../" * 800 + "l%d" % (n + 1)) for n in range(30)] + [link("l30", "a"), member("l0/x")]),
    "gnu-large": lambda: archive([member("a", uid=3000000000, gid=2097152, mtime=-5)]),
    "trailing": lambda: archive([member("a", b"x")]) + b"\0" * 7777,
    "no-end": lambda: archive([member("a", b"x")])[:1024],
    "empty": lambda: b"",
    "sparse": lambda: archive([sparse("s", 10000, "2\n1000\n5\n8000\n3\n", b"helloabc")], tarfile.PAX_FORMAT),
    "sparse-overlap": lambda: archive([sparse("s", 10000, "2\n1000\n5\n1001\n3\n", b"helloabc")], tarfile.PAX_FORMAT),
    "sparse-beyond": lambda: archive([sparse("s", 1002, "1\n1000\n8\n", b"helloabc")], tarfile.PAX_FORMAT),
    "sparse-huge": lambda: archive([sparse("big", 1 << 40, "1\n0\n5\n", b"hello")], tarfile.PAX_FORMAT),
    "sparse-endless": lambda: archive([sparse("big", 1 << 62, "1\n0\n5\n", b"hello")], tarfile.PAX_FORMAT),
    "implied": lambda: archive([member("usr/share/doc/x", b"x", mode=0o600, uid=5, gid=6)]),
    "through-lower-link": lambda: archive([member("lib/x", b"x")]),
    "link-below": lambda: archive([link("h1", "lower/f", tarfile.LNKTYPE), link("h2", "lower/f", tarfile.LNKTYPE)]),
    "itself": lambda: archive([member("t", b"x"), link("t", "./t", tarfile.LNKTYPE)]),
    "itself-by-link": lambda: archive([
        member("d/t", b"x"), link("l", "d"), link("l/t", "d/t", tarfile.LNKTYPE)]),
    "directory-link": lambda: archive([member("d", type=tarfile.DIRTYPE), link("h", "d", tarfile.LNKTYPE)]),
    "link-before-file": lambda: archive([link("h", "t", tarfile.LNKTYPE), member("t", b"x")]),
    "whiteouts": lambda: archive([
        member("a", type=tarfile.DIRTYPE, mode=0o755), member("a/.wh.gone"), member("a/.wh..wh..opq"),
        member("a/kept", b"x"), member(".wh.a"), member(".wh..wh.plnk", type=tarfile.DIRTYPE), member(".wh.b")]),
    "whiteout-parent": lambda: archive([member(".wh.p"), member("p/f", b"x")]),
    "device": lambda: archive([member("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
                               member("pipe", type=tarfile.FIFOTYPE, mode=0o600)]),
    "replaced": lambda: archive([
        member("x", type=tarfile.DIRTYPE, mode=0o755), member("x/y", b"1"), member("x", b"now a file"),
        member("z", b"1"), member("z", type=tarfile.DIRTYPE, mode=0o700)]),
}


def endless():
    """A member that says that it has the most bytes that there are."""
    info, _ = member("big")
    info.size = (1 << 63) - 1
    return info.tobuf(tarfile.GNU_FORMAT) + b"x" * 1024


ARCHIVES["endless-member"] = endless


def image(layers, config=None, layer_list=None):
    """A Docker archive; layers are archives."""
    config = config or {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine], "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]}}
    names = ["l%d.tar" % n for n in range(len(layers))]
    manifest = [{"Config": "c.json", "RepoTags": ["x:1"], "Layers": layer_list if layers == [] else names}]
    files = [("c.json", json.dumps(config).encode()), ("manifest.json", json.dumps(manifest).encode())]
    return archive([member(name, data) for name, data in files + list(zip(names, layers))])


def layout(manifest, config=b"{}"):
    """An OCI layout with one image; `CONFIG` in its manifest stands for the config's descriptor."""
    def descriptor(kind, data):
        return {"mediaType": "application/vnd.oci.image.%s.v1+json" % kind,
                "digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}
    blob = json.dumps(manifest).replace('"CONFIG"', json.dumps(descriptor("config", config))).encode()
    index = json.dumps({"schemaVersion": 2, "manifests": [descriptor("manifest", blob)], "annotations": None})
    blobs = [("blobs/sha256/" + hashlib.sha256(data).hexdigest(), data) for data in (config, blob)]
    files = blobs + [("index.json", index.encode()), ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')]
    return archive([member(name, data) for name, data in files])


for name in ("endless-member", "sparse-endless", "many-attributes", "long-link", "links-in-links", "itself"):
    ARCHIVES["image-of-" + name] = lambda make=ARCHIVES[name]: image([make()])

# The second layer has files below a link of the first, and a file that is replaced after it was linked.
ARCHIVES["image-below-link"] = lambda: image([
    archive([member("lower", type=tarfile.DIRTYPE, mode=0o755), member("lower/old", b"x"), link("link", "lower")]),
    archive([member("link/tool", b"y"), member("t", b"old"), link("h", "t", tarfile.LNKTYPE), member("t", b"new")])])
ARCHIVES["linked-then-replaced"] = lambda: archive([
    member("t", b"old"), link("h", "t", tarfile.LNKTYPE), member("t", b"new")])

PLATFORM = {"architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine], "os": "linux"}
HUGE = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + "a" * 64, "size": 1 << 62}

ARCHIVES.update({
    # The keys are found one after another, so that a search through all of them would not end.
    "many-keys": lambda: layout(
        {"schemaVersion": 2, "config": "CONFIG", "layers": [], **{"k%d" % n: n for n in range(370000)}},
        json.dumps({**PLATFORM, "rootfs": {"diff_ids": ["sha256:" + "a" * 64]}, "config": {
            "Labels": {"l%d" % n: "x" for n in range(100000)}}}).encode()),
    "huge-layers": lambda: layout({"schemaVersion": 2, "config": "CONFIG", "layers": [HUGE, HUGE]}),
    "old-docker": lambda: archive([
        member("repositories", b'{"x":{"1":"abc"}}'), member("abc/VERSION", b"1.0"), member("abc/json", b'{"id":"abc"}'),
        member("abc/layer.tar", archive([member("f", b"x")]))]),
    "null-docker": lambda: image(
        [], {**PLATFORM, "config": None, "history": None, "rootfs": {"type": "layers", "diff_ids": None}}),
    "null-layout": lambda: layout(
        {"schemaVersion": 2, "config": "CONFIG", "layers": None, "annotations": None},
        json.dumps({**PLATFORM, "config": {"Env": None, "Labels": None}, "rootfs": {"diff_ids": None}}).encode()),
})

for name, make in ARCHIVES.items():
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        file.write(make())
