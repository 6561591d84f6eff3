"""Random archives with members that no tool should write."""

import gzip
import hashlib
import io
import json
import struct
import tarfile

UP = "../" * 12
EXTREMES = [0, 1, 511, 512, 513, 1 << 20, 1 << 31, 1 << 32, 1 << 40, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


def names(rng, outside):
    return rng.choice([
        "a", "b", "d", "d/e", "d/e/f", "./a", "/abs", "a/", ".", "..", "../x", "d/../../x", UP + outside + "/evil",
        outside + "/evil", outside + "/old", ".wh.a", ".wh..wh..opq", "d/.wh.e", "proc/self/fd/5", "dev/null", "bin/sh",
        "x" * 255, "x" * 300, "d/" * 120 + "f", "d/" * 2100 + "f", "new\nline", "ä", "\udcff", " ", "-rf", "etc/passwd",
    ])


def member(rng, outside, made):
    info = tarfile.TarInfo(names(rng, outside))
    info.type = rng.choices(
        [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE,
         tarfile.BLKTYPE, b"V", b"Z"], [10, 4, 6, 4, 1, 1, 1, 0.2, 0.2])[0]
    info.mode = rng.choice([0o644, 0o755, 0o4755, 0o7777, 0, 0o100644])
    info.uid, info.gid = rng.choice([0, 5, 65534, 1 << 31, (1 << 32) - 1]), rng.choice([0, 5, (1 << 32) - 1])
    info.mtime = rng.choice([0, 1, -1, 1 << 33, 1 << 60])
    if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = rng.choice(
            [outside, UP + outside, outside + "/old", "a", "d", "d/e", ".", "..", "/", "", "x" * 5000, "a/" * 2100] + made)
    if info.type in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        info.devmajor, info.devminor = rng.choice([(1, 3), (8, 0), (254, 0), (0, 0)])
    if rng.random() < 0.15:
        info.pax_headers = rng.choice([
            {"SCHILY.xattr.security.capability": "x"}, {"SCHILY.xattr.trusted.overlay.opaque": "y"},
            {"SCHILY.xattr." + "n" * 300: "v"}, {"size": str(rng.choice(EXTREMES))}, {"mtime": "nan"}, {"uid": "-1"},
            {"path": UP + outside + "/evil"}, {"linkpath": outside + "/old"}, {"GNU.sparse.size": str(rng.choice(EXTREMES))},
            {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s",
             "GNU.sparse.realsize": str(rng.choice(EXTREMES))}, {"comment": "c" * 100_000},
        ])
    content = rng.choice([b"", b"x", b"content\n" * 100, b"1\n0\n5\n".ljust(512, b"\0") + b"hello"])
    if info.type != tarfile.REGTYPE:
        content = b""
    info.size = len(content)
    return info, content


def archive(rng, outside):
    out, made = io.BytesIO(), []
    with tarfile.open(fileobj=out, mode="w", format=rng.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])) as tar:
        for _ in range(rng.choice([1, 2, 4, 8, 20])):
            info, content = member(rng, outside, made)
            try:
                tar.addfile(info, io.BytesIO(content))
                made.append(info.name)
            except (ValueError, UnicodeError, OverflowError, struct.error):
                continue
    data = bytearray(out.getvalue())
    damage = rng.random()
    if damage < 0.25:
        for _ in range(rng.choice([1, 3, 30])):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif damage < 0.35:
        del data[rng.randrange(len(data)):]
    elif damage < 0.5:
        size(rng, data)
    if rng.random() < 0.25:
        packed = bytearray(gzip.compress(bytes(data)))
        if rng.random() < 0.5:
            packed[rng.randrange(len(packed))] ^= 1 << rng.randrange(8)
        return bytes(packed)
    return bytes(data)


def size(rng, data):
    """An extreme size in a header, in the form for numbers that octal digits cannot hold, with the right checksum."""
    start = 512 * rng.randrange(max(1, len(data) // 512))
    header = data[start:start + 512]
    if len(header) < 512:
        return
    header[124:136] = b"\x80" + (rng.choice(EXTREMES)).to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data[start:start + 512] = header


def image(rng, layer):
    """An image as `docker save` writes it, on the layer and one with a shell."""
    shell = io.BytesIO()
    with tarfile.open(fileobj=shell, mode="w") as tar:
        with open("/bin/busybox", "rb") as file:
            program = file.read()
        for name, kind, link, content in [
            ("bin/busybox", tarfile.REGTYPE, "", program), ("bin/sh", tarfile.SYMTYPE, "busybox", b"")]:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode, info.size = kind, link, 0o755, len(content)
            tar.addfile(info, io.BytesIO(content))
    layers = [shell.getvalue(), layer]
    ids = ["sha256:" + hashlib.sha256(data).hexdigest() for data in layers]
    if rng.random() < 0.1:
        ids[1] = rng.choice(["sha256:" + "0" * 64, "sha256:../../x", "", "md5:0"])
    config = {
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids},
        "config": rng.choice([
            {}, {"User": "bob"}, {"WorkingDir": "../../../x"}, {"Env": ["PATH=/proc/self/fd", "=x", "A"]},
            {"User": "4294967296"}, {"Entrypoint": []}, {"WorkingDir": "/d/e\n"}, {"Labels": {"a": None}}, None]),
    }
    text = json.dumps(config).encode()
    manifest = [{"Config": "config.json", "RepoTags": ["hostile:1"], "Layers": ["0.tar", "1.tar"]}]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in [
            ("config.json", text), ("0.tar", layers[0]), ("1.tar", layers[1]),
            ("manifest.json", json.dumps(manifest).encode())]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()
