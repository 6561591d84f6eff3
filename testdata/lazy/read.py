"""Reads a layer in the format eStargz or zstd:chunked as its specification says, and checks everything that it promises.

Usage: read.py estargz BLOB TOC-DIGEST ARCHIVE-SIZE
       read.py zstd:chunked BLOB MANIFEST-CHECKSUM MANIFEST-POSITION TARSPLIT-POSITION

It prints a line of JSON about the layer, or ends with the rule that is broken. Sources: stargz-snapshotter, docs/estargz.md;
containers/storage, pkg/chunked; vbatts/tar-split, tar/storage."""

import base64, ctypes, datetime, hashlib, io, json, struct, sys, tarfile, zlib


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def require(condition, what):
    if not condition:
        sys.exit(what)


TYPES = {tarfile.REGTYPE: "reg", tarfile.AREGTYPE: "reg", tarfile.LNKTYPE: "hardlink", tarfile.SYMTYPE: "symlink", tarfile.CHRTYPE: "char",
         tarfile.BLKTYPE: "block", tarfile.DIRTYPE: "dir", tarfile.FIFOTYPE: "fifo"}


def xattrs(member):
    prefix = "SCHILY.xattr."
    return {key[len(prefix):]: base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()
            for key, value in member.pax_headers.items() if key.startswith(prefix)}


def seconds(text):
    """The time of an item, in nanoseconds since 1970."""
    if not text:
        return 0
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 10**9 + int((fraction + "0" * 9)[:9])


def times(member):
    whole, _, fraction = member.pax_headers.get("mtime", str(int(member.mtime))).partition(".")
    return int(whole) * 10**9 + int((fraction + "0" * 9)[:9])


def compare(item, member, has_fraction):
    name = member.name + ("/" if member.isdir() else "")
    require(item["name"] == name, f"an item is called {item['name']}, and the member {name}")
    require(item["type"] == TYPES[member.type], f"the type of {name}")
    for key, value in (("uid", member.uid), ("gid", member.gid), ("mode", member.mode),
                       ("size", member.size if member.isreg() else 0),
                       ("devMajor", member.devmajor if member.isdev() and not member.isfifo() else 0),
                       ("devMinor", member.devminor if member.isdev() and not member.isfifo() else 0)):
        require(item.get(key, 0) == value, f"{key} of {name}: {item.get(key, 0)}, and {value} in the archive")
    require(item.get("linkName", "") == member.linkname, f"the link of {name}")
    require(item.get("xattrs", {}) == xattrs(member), f"the attributes of {name}")
    said, is_in = seconds(item.get("modtime")), times(member)
    require(said == (is_in if has_fraction else is_in // 10**9 * 10**9), f"the time of {name}: {said}, not {is_in}")


def files(items):
    """The items of files, each with those of its further pieces."""
    found = []
    for item in items:
        if item["type"] == "chunk":
            require(found and found[-1][0]["name"] == item["name"], "a piece does not follow its file")
            found[-1][1].append(item)
        else:
            found.append((item, []))
    return found


# eStargz


def gzip_members(blob):
    """The start of each member, with what it decompresses to."""
    members, position = {}, 0
    while position < len(blob):
        decoder = zlib.decompressobj(31)
        data = decoder.decompress(blob[position:]) + decoder.flush()
        require(decoder.eof, f"the member at {position} does not end")
        members[position] = data
        position = len(blob) - len(decoder.unused_data)
    return members


def read_estargz(blob, toc_digest, archive_size):
    footer = blob[-51:]
    require(footer[:16] == bytes.fromhex("1f8b08040000000000ff1a0053471600"), "the footer's header")
    require(footer[32:38] == b"STARGZ", "the footer's name")
    require(footer[38:] == bytes.fromhex("010000ffff") + bytes(8), "the footer's end")
    toc_offset = int(footer[16:32], 16)
    members = gzip_members(blob)
    require(toc_offset in members, "no member begins where the footer says")
    archive = b"".join(members.values())
    require(len(archive) == int(archive_size), f"the archive has {len(archive)} bytes, not {archive_size}")
    tail = b"".join(data for start, data in members.items() if start >= toc_offset)
    with tarfile.open(fileobj=io.BytesIO(tail)) as tar:
        member = tar.next()
        require(member.name == "stargz.index.json" and member.isreg(), "the table's name")
        document = tar.extractfile(member).read()
        require(tar.next() is None, "the table is not the last file")
    require(tail.endswith(bytes(1024)), "the archive does not end with two blocks of zeros")
    require(sha(document) == toc_digest, "the table has another digest")
    table = json.loads(document)
    require(table["version"] == 1, "the table's version")
    found = files(table["entries"])
    pieces = 0
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        inside = tar.getmembers()
        require(len(inside) == len(found) + 1, f"{len(found)} files in the table, {len(inside) - 1} in the archive")
        for (item, more), member in zip(found, inside):
            compare(item, member, has_fraction=False)
            if not member.isreg():
                require("offset" not in item and not more, f"{member.name} has pieces")
                continue
            content = tar.extractfile(member).read()
            require(item["digest"] == sha(content), f"the digest of {member.name}")
            position = 0
            for piece in [item] + more if content else []:
                require(piece.get("chunkOffset", 0) == position, f"the pieces of {member.name} have a gap")
                size = piece.get("chunkSize", 0) or len(content) - position
                require(piece["offset"] in members, f"no member begins at a piece of {member.name}")
                data = members[piece["offset"]][piece.get("innerOffset", 0):][:size]
                require(data == content[position:position + size], f"a piece of {member.name} is another")
                require(sha(data) == piece["chunkDigest"], f"a piece of {member.name} has another digest")
                position += size
                pieces += 1
            require(position == len(content), f"the pieces of {member.name} are not all of it")
    names = [item["name"] for item, _ in found]
    landmarks = [name for name in names if name in (".prefetch.landmark", ".no.prefetch.landmark")]
    require(len(landmarks) == 1, "not one landmark")
    require(members[found[names.index(landmarks[0])][0]["offset"]][:1] == b"\x0f", "the landmark's content")
    return {"diffID": sha(archive), "landmark": landmarks[0], "first": names[:names.index(landmarks[0])],
            "names": names, "pieces": pieces, "members": len(members)}


# zstd:chunked

zstd = None


def decompress(data):
    """The frames of the data, one after the other."""
    global zstd
    if zstd is None:
        zstd = ctypes.CDLL("libzstd.so.1")
        for name in ("ZSTD_decompress", "ZSTD_findFrameCompressedSize"):
            getattr(zstd, name).restype = ctypes.c_size_t
        zstd.ZSTD_getFrameContentSize.restype = ctypes.c_uint64
    plain, position = b"", 0
    while position < len(data):
        rest = data[position:]
        size = zstd.ZSTD_findFrameCompressedSize(rest, ctypes.c_size_t(len(rest)))
        require(not zstd.ZSTD_isError(ctypes.c_size_t(size)), f"no frame of zstd at {position}")
        count = zstd.ZSTD_getFrameContentSize(rest, ctypes.c_size_t(len(rest)))
        require(count < 1 << 40, "a frame does not say its size")
        buffer = ctypes.create_string_buffer(max(1, count))
        made = zstd.ZSTD_decompress(buffer, ctypes.c_size_t(count), rest[:size], ctypes.c_size_t(size))
        require(made == count, "a frame is damaged")
        plain += buffer.raw[:count]
        position += size
    return plain


CRC = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0xD800000000000000 if byte & 1 else 0)
    CRC.append(byte)


def crc64(data):
    value = 2**64 - 1
    for byte in data:
        value = CRC[(value ^ byte) & 255] ^ value >> 8
    return value ^ 2**64 - 1


def read_chunked(blob, checksum, position, split_position):
    offset, length, plain_length, kind = map(int, position.split(":"))
    split_offset, split_length, split_plain_length = map(int, split_position.split(":"))
    require(kind == 1, "the kind of the table")
    footer = blob[-72:]
    require(footer[:8] == bytes.fromhex("502a4d1840000000") and footer[-8:] == b"GNUlInUx", "the footer's marks")
    require(struct.unpack("<7Q", footer[8:64])
            == (offset, length, plain_length, 1, split_offset, split_length, split_plain_length),
            "the footer says something else than the annotations")
    packed, packed_split = blob[offset:offset + length], blob[split_offset:split_offset + split_length]
    require(blob[offset - 8:offset] == b"\x50\x2a\x4d\x18" + struct.pack("<I", length), "the table's frame")
    require(blob[split_offset - 8:split_offset] == b"\x50\x2a\x4d\x18" + struct.pack("<I", split_length), "tar-split's frame")
    require(offset + length + 8 == split_offset and split_offset + split_length + 72 == len(blob), "there are other frames")
    require(sha(packed) == checksum, "the table has another digest")
    document, split = decompress(packed), decompress(packed_split)
    require(len(document) == plain_length and len(split) == split_plain_length, "a length")
    table = json.loads(document)
    require(table["version"] == 1 and table["tarSplitDigest"] == sha(packed_split), "tar-split has another digest")
    archive = decompress(blob[:offset - 8])
    found = files(table["entries"])
    names = [item["name"] for item, _ in found]
    require(len(set(names)) == len(names), "a name occurs twice")
    starts = sorted({item["offset"] for item in table["entries"] if "offset" in item}
                    | {item["endOffset"] for item in table["entries"] if "endOffset" in item})
    contents, pieces, holes = {}, 0, 0
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        inside = tar.getmembers()
        require(len(inside) == len(found), f"{len(found)} files in the table, {len(inside)} in the archive")
        for (item, more), member in zip(found, inside):
            compare(item, member, has_fraction=True)
            if not item.get("size"):
                require("offset" not in item and not more, f"{member.name} has pieces")
                continue
            content, parts = b"", [item] + more
            for index, part in enumerate(parts):
                end = parts[index + 1]["offset"] if index + 1 < len(parts) else item["endOffset"]
                require(end in starts and end <= offset - 8, "a piece ends where none begins")
                data = decompress(blob[part["offset"]:end])
                if more:
                    require(part.get("chunkOffset", 0) == len(content), f"the pieces of {member.name} have a gap")
                    require(part["chunkSize"] == len(data), f"the size of a piece of {member.name}")
                    require(part["chunkDigest"] == sha(data), f"a piece of {member.name} has another digest")
                    require((part.get("chunkType", "") == "zeros") <= (not any(data)), "a hole is none")
                    holes += part.get("chunkType", "") == "zeros"
                else:
                    require("chunkSize" not in part and "chunkDigest" not in part, "one piece is not the file")
                content += data
                pieces += 1
            require(len(content) == item["size"] and sha(content) == item["digest"], f"the content of {member.name}")
            contents[item["name"]] = content
    rebuilt, headers = b"", 0
    for number, line in enumerate(split.decode().splitlines()):
        entry = json.loads(line)
        require(entry["position"] == number, "a position of tar-split")
        if entry["type"] == 2:
            segment = base64.b64decode(entry["payload"])
            rebuilt += segment
            if any(segment):
                headers += 1
        else:
            content = contents.get(entry["name"], b"")
            require(entry.get("size", 0) == len(content), f"tar-split's size of {entry['name']}")
            payload = base64.b64encode(struct.pack(">Q", crc64(content))).decode() if content else None
            require(entry["payload"] == payload, f"tar-split's sum of {entry['name']}")
            rebuilt += content
    require(rebuilt == archive, "tar-split does not give the archive")
    require(headers == len(found), "tar-split has not one segment for each header")
    return {"diffID": sha(archive), "names": names, "pieces": pieces, "holes": holes}


with open(sys.argv[2], "rb") as file:
    layer = file.read()
print(json.dumps((read_estargz if sys.argv[1] == "estargz" else read_chunked)(layer, *sys.argv[3:])))
