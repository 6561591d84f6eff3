"""Checks the documents of an OCI layout against the image specification, version 1.1. Usage: check.py DIRECTORY

It prints a line for each rule that is broken and nothing else; the rules are those of descriptor.md, image-index.md,
manifest.md, config.md, image-layout.md and annotations.md. Docker's manifests and lists are held to the same rules as far as
they have the same members."""

import datetime, hashlib, json, os, re, sys

root = sys.argv[1]
DIGEST = re.compile(r"^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$")
TYPE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
INDEXES = {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
MANIFESTS = {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
CONFIGS = {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
LAYERS = re.compile(
    r"^application/(vnd\.oci\.image\.layer\.v1\.tar(\+gzip|\+zstd)?|vnd\.docker\.image\.rootfs\.diff\.tar(\.gzip|\.zstd)?)$")
found = 0


def wrong(place, what):
    global found
    found += 1
    print(f"{place}: {what}")


def check(place, condition, what):
    if not condition:
        wrong(place, what)
    return bool(condition)


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def strings(place, value, name):
    """A map of strings, as annotations and labels are."""
    if check(place, isinstance(value, dict), f"{name} is no object"):
        for key, text in value.items():
            check(place, key != "", f"{name} has an empty key")
            check(place, isinstance(text, str), f"{name}[{key}] is no string")


def time(place, value, name):
    if check(place, isinstance(value, str) and TIME.match(value), f"{name} is no time of RFC 3339: {value}"):
        try:
            datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", value).replace("Z", "+00:00"))
        except ValueError:
            wrong(place, f"{name} is no date: {value}")


def blob_path(digest):
    algorithm, _, encoded = digest.partition(":")
    return f"{root}/blobs/{algorithm}/{encoded}"


def descriptor(place, value, kinds=None):
    """Checks a descriptor and its blob; gives the bytes of a small one that is here."""
    if not check(place, isinstance(value, dict), "a descriptor is no object"):
        return None
    digest, size, kind = value.get("digest"), value.get("size"), value.get("mediaType")
    ok = check(place, isinstance(kind, str) and TYPE.match(kind), f"mediaType {kind!r}")
    ok &= check(place, isinstance(digest, str) and DIGEST.match(digest), f"digest {digest!r}")
    ok &= check(place, is_int(size) and size >= 0, f"size {size!r}")
    if not ok:
        return None
    check(place, not digest.startswith("sha256:") or re.match(r"^sha256:[a-f0-9]{64}$", digest), f"digest {digest}")
    check(place, kinds is None or kind in kinds, f"mediaType {kind} is not one of {kinds}")
    if "urls" in value:
        check(place, isinstance(value["urls"], list) and all(isinstance(u, str) for u in value["urls"]), "urls")
    if "annotations" in value:
        strings(place, value["annotations"], "annotations")
    if "artifactType" in value:
        check(place, isinstance(value["artifactType"], str) and TYPE.match(value["artifactType"]), "artifactType")
    path = blob_path(digest)
    if not check(place, os.path.isfile(path), f"the blob {digest} is missing"):
        return None
    check(place, os.path.getsize(path) == size, f"the blob {digest} has {os.path.getsize(path)} bytes, not {size}")
    with open(path, "rb") as file:
        hasher = hashlib.sha256()
        data = b""
        while piece := file.read(1 << 20):
            hasher.update(piece)
            data = data + piece if len(data) < 1 << 22 else data
    check(place, "sha256:" + hasher.hexdigest() == digest, f"the blob {digest} is another")
    return data


def platform(place, value):
    if check(place, isinstance(value, dict), "platform is no object"):
        for key in ("architecture", "os"):
            check(place, isinstance(value.get(key), str) and value[key], f"platform.{key} {value.get(key)!r}")
        for key in ("os.version", "variant"):
            check(place, isinstance(value.get(key, ""), str), f"platform.{key}")
        features = value.get("os.features", [])
        check(place, isinstance(features, list) and all(isinstance(f, str) for f in features), "platform.os.features")


def parsed(place, data):
    def unique(pairs):
        keys = [key for key, _ in pairs]
        check(place, len(keys) == len(set(keys)), f"a key stands twice in {keys}")
        return dict(pairs)

    try:
        return json.loads(data, object_pairs_hook=unique)
    except ValueError as error:
        wrong(place, f"no JSON: {error}")


def document(entry, place, depth=0):
    data = descriptor(place, entry)
    if data is None or depth > 6:
        return
    kind = entry["mediaType"]
    if kind not in INDEXES | MANIFESTS:
        return
    value = parsed(place, data)
    if not isinstance(value, dict):
        return wrong(place, "the document is no object")
    check(place, value.get("schemaVersion") == 2, f"schemaVersion {value.get('schemaVersion')!r}")
    check(place, value.get("mediaType", kind) == kind, f"mediaType {value.get('mediaType')} under {kind}")
    if "annotations" in value:
        check(place, "docker" not in kind, "Docker's documents have no annotations")
        strings(place, value["annotations"], "annotations")
    if "subject" in value:
        subject = value["subject"]
        check(place, isinstance(subject, dict) and DIGEST.match(str(subject.get("digest"))), "subject")
    (index if kind in INDEXES else manifest)(value, place, kind, depth)


def index(value, place, kind, depth):
    check(place, "config" not in value and "layers" not in value, "an index has config or layers")
    entries = value.get("manifests")
    if not check(place, isinstance(entries, list), "manifests is no list"):
        return
    for number, entry in enumerate(entries):
        name = f"{place}/manifests[{number}]"
        if isinstance(entry, dict) and "platform" in entry:
            platform(name, entry["platform"])
        document(entry, name, depth + 1)


def manifest(value, place, kind, depth):
    check(place, "manifests" not in value, "a manifest has manifests")
    layers = value.get("layers")
    if not check(place, isinstance(layers, list), "layers is no list"):
        return
    for number, layer in enumerate(layers):
        descriptor(f"{place}/layers[{number}]", layer)
    data = descriptor(f"{place}/config", value.get("config"))
    settings = value.get("config") or {}
    is_image = settings.get("mediaType") in CONFIGS and all(LAYERS.match(str(l.get("mediaType"))) for l in layers)
    if data is None or not is_image:
        if settings.get("mediaType") == "application/vnd.oci.empty.v1+json":
            check(place, isinstance(value.get("artifactType"), str), "an artifact with an empty config needs a type")
        return
    is_docker = "docker" in kind
    for layer in layers + [settings]:
        check(place, ("docker" in layer["mediaType"]) == is_docker, f"{layer['mediaType']} in a manifest of {kind}")
    config(parsed(f"{place}/config", data), f"{place}/config", layers)


def config(value, place, layers):
    if not check(place, isinstance(value, dict), "the config is no object"):
        return
    for key in ("architecture", "os"):
        check(place, isinstance(value.get(key), str) and value[key], f"{key} {value.get(key)!r}")
    rootfs = value.get("rootfs")
    if check(place, isinstance(rootfs, dict) and rootfs.get("type") == "layers", "rootfs.type"):
        ids = rootfs.get("diff_ids")
        ok = check(place, isinstance(ids, list) and all(DIGEST.match(str(i)) for i in ids), "rootfs.diff_ids")
        if ok:
            check(place, len(ids) == len(layers), f"{len(ids)} diff_ids for {len(layers)} layers")
    if "created" in value:
        time(place, value["created"], "created")
    steps = value.get("history", [])
    if check(place, isinstance(steps, list), "history is no list") and steps:
        made = [s for s in steps if not s.get("empty_layer")]
        check(place, len(made) == len(layers), f"history has {len(made)} layers of {len(layers)}")
        for step in steps:
            if "created" in step:
                time(place, step["created"], "history.created")
            for key in ("author", "created_by", "comment"):
                check(place, isinstance(step.get(key, ""), str), f"history.{key}")
            check(place, isinstance(step.get("empty_layer", False), bool), "history.empty_layer")
    run = value.get("config", {})
    if not check(place, isinstance(run, dict), "config is no object"):
        return
    for key in ("User", "WorkingDir", "StopSignal"):
        check(place, isinstance(run.get(key, ""), str), f"config.{key}")
    for key in ("Env", "Entrypoint", "Cmd", "Shell", "OnBuild"):
        list_ = run.get(key) or []
        check(place, isinstance(list_, list) and all(isinstance(i, str) for i in list_), f"config.{key}")
    for variable in run.get("Env") or []:
        check(place, re.match(r"^[^=]+=", variable), f"config.Env has {variable!r}")
    for key in ("ExposedPorts", "Volumes"):
        map_ = run.get(key) or {}
        check(place, isinstance(map_, dict) and all(v == {} for v in map_.values()), f"config.{key}")
    for port in run.get("ExposedPorts") or {}:
        check(place, re.match(r"^\d+(-\d+)?(/(tcp|udp|sctp))?$", port), f"config.ExposedPorts has {port!r}")
    if run.get("Labels") is not None:
        strings(place, run["Labels"], "config.Labels")
    if run.get("WorkingDir"):
        check(place, run["WorkingDir"].startswith("/") or value.get("os") == "windows", "config.WorkingDir")


layout = parsed("oci-layout", open(f"{root}/oci-layout", "rb").read())
check("oci-layout", layout and layout.get("imageLayoutVersion") == "1.0.0", f"{layout}")
top = parsed("index.json", open(f"{root}/index.json", "rb").read())
check("index.json", top.get("schemaVersion") == 2, "schemaVersion")
check("index.json", top.get("mediaType", "application/vnd.oci.image.index.v1+json") in INDEXES, "mediaType")
for number, entry in enumerate(top.get("manifests") or []):
    name = (entry.get("annotations") or {}).get("org.opencontainers.image.ref.name")
    check("index.json", name is None or re.match(r"^[A-Za-z0-9]+([-._:@+/]+[A-Za-z0-9]+|--[A-Za-z0-9]+|__[A-Za-z0-9]+)*$", name),
          f"the name {name!r} is not of the grammar")
    document(entry, f"index.json[{number}]")
names = {p for d in os.listdir(f"{root}/blobs") for p in os.listdir(f"{root}/blobs/{d}")}
check("blobs", all(re.match(r"^[a-f0-9]{64}$", name) for name in names), "a blob has another name than its digest")
sys.exit(1 if found else 0)
