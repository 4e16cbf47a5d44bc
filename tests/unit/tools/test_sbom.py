"""The bill of materials names what is installed, once and in order."""

from importlib.metadata import distribution

from tools.sbom import bill_of_materials, debian_components, python_component

LISTED = "zlib1g\t1:1.2.13.dfsg-1\tamd64\tinstalled\ngone\t1\tall\tconfig-files\nbash\t5.2\tamd64\tinstalled\n"


def test_debian_packages_are_those_installed() -> None:
    found = debian_components(LISTED)
    assert [component["purl"] for component in found] == [
        "pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1?arch=amd64",
        "pkg:deb/debian/bash@5.2?arch=amd64",
    ]


def test_python_packages_carry_version_and_licence() -> None:
    found = python_component(distribution("cryptography"))
    assert found["purl"] == f"pkg:pypi/cryptography@{found['version']}"
    assert found["licenses"] == [{"expression": "Apache-2.0 OR BSD-3-Clause"}]


def test_the_same_image_gives_the_same_document() -> None:
    components = [*debian_components(LISTED), python_component(distribution("pydantic"))]
    document = bill_of_materials("operator", reversed(components))
    assert document == bill_of_materials("operator", components)
    assert document["metadata"]["component"]["name"] == "operator"
    assert len(document["components"]) == 3
