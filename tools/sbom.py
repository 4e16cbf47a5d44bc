"""Writes what is in an image as CycloneDX JSON: Python and Debian packages as installed. `make sbom` runs it inside.

It needs the image's own Python and nothing else: `python - NAME < tools/sbom.py`.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from typing import Any
from urllib.parse import quote

DEBIAN_FIELDS = "${Package}\t${Version}\t${Architecture}\t${db:Status-Status}\n"


def bill_of_materials(image: str, components: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The document: components by purl, no time and no serial number, so that the same image gives the same file."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": image, "bom-ref": image}},
        "components": sorted(components, key=lambda component: str(component["purl"])),
    }


def python_component(package: Distribution) -> dict[str, Any]:
    """A Python package; its licence where it states an SPDX expression."""
    name, version = package.metadata["Name"], package.version
    found = _component(name, version, f"pkg:pypi/{name.lower().replace('_', '-')}@{quote(version)}")
    licence = package.metadata.get("License-Expression")
    return found if licence is None else {**found, "licenses": [{"expression": licence}]}


def debian_components(listed: str) -> list[dict[str, Any]]:
    """Debian packages from dpkg-query's list; those that are only half there are left out."""
    rows = (line.split("\t") for line in listed.splitlines())
    return [
        _component(name, version, f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={architecture}")
        for name, version, architecture, status in rows
        if status == "installed"
    ]


def _component(name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def main() -> None:
    """Print the document of the image this runs in."""
    command = ["dpkg-query", "--show", "--showformat", DEBIAN_FIELDS]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    components = [*map(python_component, distributions()), *debian_components(listed)]
    json.dump(bill_of_materials(sys.argv[1], components), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
