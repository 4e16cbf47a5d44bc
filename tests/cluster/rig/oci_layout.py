"""What the rig does with OCI image layouts: prune, print sizes, and pack what a containerd lacks.

Called by images.sh (prune, sizes) and by load.sh (pack), which pipes the archive into `ctr images import`. Only the
standard library: it runs before anything of the project is installed.
"""

import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REFERENCE = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"


def blob(layout: Path, digest: str) -> Path:
    """The file of a blob; digest as `sha256:HEX`."""
    return layout / "blobs" / Path(*digest.split(":", 1))


def index(layout: Path) -> dict[str, Any]:
    """The layout's index.json."""
    content: dict[str, Any] = json.loads((layout / "index.json").read_text())
    return content


def manifest(layout: Path, descriptor: dict[str, Any]) -> dict[str, Any]:
    """The image manifest that a descriptor of the index points at."""
    content: dict[str, Any] = json.loads(blob(layout, descriptor["digest"]).read_text())
    return content


def used_digests(layout: Path) -> Iterator[str]:
    """Digests of every blob that an image of the index needs."""
    for descriptor in index(layout)["manifests"]:
        content = manifest(layout, descriptor)
        yield descriptor["digest"]
        yield content["config"]["digest"]
        yield from (layer["digest"] for layer in content["layers"])


def prune(layout: Path, reference: str) -> None:
    """Keep the image of that name alone: skopeo leaves those it replaces in the index, without their names."""
    content = index(layout)
    content["manifests"] = [
        descriptor
        for descriptor in content["manifests"]
        if descriptor.get("annotations", {}).get(REFERENCE) == reference
    ]
    (layout / "index.json").write_text(json.dumps(content))
    used = {blob(layout, digest) for digest in used_digests(layout)}
    for path in (layout / "blobs").glob("*/*"):
        if path not in used:
            path.unlink()


def size(layout: Path) -> int:
    """Bytes of the image's layers, uncompressed, as on a node's disk."""
    (descriptor,) = index(layout)["manifests"]
    return sum(layer["size"] for layer in manifest(layout, descriptor)["layers"])


def pack(layout: Path, present: set[str]) -> None:
    """Write the image as an OCI archive to standard output, without the layers whose digests containerd has."""
    (descriptor,) = index(layout)["manifests"]
    name = descriptor["annotations"][REFERENCE]
    descriptor = {**descriptor, "annotations": {CONTAINERD_NAME: name}}
    files = {
        "oci-layout": (layout / "oci-layout").read_bytes(),
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode(),
    }
    layers = {layer["digest"] for layer in manifest(layout, descriptor)["layers"]}
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for digest in used_digests(layout):
            if digest not in layers or digest not in present:
                archive.add(blob(layout, digest), arcname=str(blob(Path(), digest)))


def main() -> None:
    """oci_layout.py prune LAYOUT REFERENCE | size LAYOUT | describe LAYOUT | pack LAYOUT < DIGESTS > ARCHIVE."""
    match sys.argv[1:]:
        case ["prune", layout, reference]:
            prune(Path(layout), reference)
        case ["size", layout]:
            print(f"rig: image {Path(layout).name}: {size(Path(layout)) / 2**20:.0f} MiB")
        case ["describe", layout]:
            (descriptor,) = index(Path(layout))["manifests"]
            print(descriptor["digest"], descriptor["annotations"][REFERENCE])
        case ["pack", layout]:
            pack(Path(layout), set(sys.stdin.read().split()))
        case _:
            sys.exit(main.__doc__)


if __name__ == "__main__":
    main()
