"""Packs a pure Python package as a wheel with nothing but the standard library: makewheel.py PACKAGE DIRECTORY."""

import pathlib
import sys
import zipfile

name, directory = sys.argv[1], pathlib.Path(sys.argv[2])
version = (pathlib.Path(name) / "VERSION").read_text().strip()
information = f"{name}-{version}.dist-info"
files = {str(path): path.read_bytes() for path in sorted(pathlib.Path(name).rglob("*.py"))}
files = {path.removeprefix(f"{name}/"): content for path, content in files.items()}
files[f"{information}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
files[f"{information}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: makewheel\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
record = "".join(f"{path},,\n" for path in [*files, f"{information}/RECORD"])
with zipfile.ZipFile(directory / f"{name}-{version}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
    for path, content in {**files, f"{information}/RECORD": record.encode()}.items():
        wheel.writestr(path, content)
